// What scrolls, and what opens something, is reached by keyboard and named: the theme's own boxes aren't.
function reachable() {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) {
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Table");
  }
  for (const code of document.querySelectorAll("pre > code")) {
    code.tabIndex = 0;
  }
  for (const label of document.querySelectorAll("label.md-header__button[aria-label]")) {
    label.tabIndex = 0;
    label.setAttribute("role", "button");
    label.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        label.click();
      }
    });
  }
}
window.addEventListener("load", reachable);
