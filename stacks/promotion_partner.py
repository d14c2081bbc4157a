"""What settings say of another environment, as the constructs of a promotion take it."""

from tunestack_cdk.promotion_partner import PromotionPartner

from tunestack.layout import Image
from tunestack.settings.neighbours import Neighbour


def promotion_partner(neighbour: Neighbour) -> PromotionPartner:
    """Another environment of the settings, as the constructs take it."""
    return PromotionPartner(
        account=neighbour.account,
        region=neighbour.region,
        promotion_name=neighbour.names.promotion,
        receiver_role_name=neighbour.names.role(neighbour.names.promotion),
        group_name=neighbour.names.model_package_group,
        repository_name=neighbour.names.repository(Image.INFERENCE),
        takes_exams_along=neighbour.takes_exams_along,
        looks_at_findings=neighbour.looks_at_findings,
        looks_at_signatures=neighbour.looks_at_signatures,
    )
