"""Typed settings and recipes: the only reader of `config/`."""

from tunestack.settings.environment import Environment
from tunestack.settings.loading import CONFIG_FOLDER, Settings, environment_names, load_settings
from tunestack.settings.problems import Problem, SettingsError

__all__ = [
    "CONFIG_FOLDER",
    "Environment",
    "Problem",
    "Settings",
    "SettingsError",
    "environment_names",
    "load_settings",
]
