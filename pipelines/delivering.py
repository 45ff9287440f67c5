"""The current release on its way to its recipients: the clock and the store, for the step of the night and for `fuller deliver`.

What does not belong here: who is sent what (`fuller_popheath/publish/delivery.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.stores import Store

if TYPE_CHECKING:
    from fuller_popheath.publish.delivery import Delivered, Plan
    from fuller_popheath.site import Site

PRACTICE = "core/neighbourhood_practice"
FOLDER = "delivery"


def deliver_current(site: Site, store: Store, run: str, only: Sequence[str] = (), is_dry: bool = False) -> tuple[Plan | None, Delivered | None]:
    """Deliver, or with `is_dry` only plan to. No plan where the register is empty. Raises as `planned` does; nothing has been written then."""
    from fuller_popheath.publish.delivery import deliver, planned, verified
    from fuller_popheath.publish.delivery_receipts import Receipts
    from fuller_popheath.publish.release_signature import trusted_key

    if not site.delivery.recipients and not only:
        return None, None
    receipts = Receipts(store.products.parent / FOLDER)
    key = trusted_key(site.folder("vault"), store.releases)
    if is_dry:
        release = verified(store.products, key)
        return planned(release, site, neighbourhoods(site, store), receipts.all(), only), None
    with receipts.locked():
        release = verified(store.products, key)
        plan = planned(release, site, neighbourhoods(site, store), receipts.all(), only)
        return plan, deliver(plan, receipts, run, datetime.now(UTC).isoformat(timespec="seconds"))


def neighbourhoods(site: Site, store: Store) -> dict[str, str]:
    """Practice code to neighbourhood code, by the store's last day and the site's own map."""
    day = max(store.days(PRACTICE), default=None)
    rows = store.read(PRACTICE, day, ["practice_code", "neighbourhood_code"]).to_pylist() if day else []
    return {row["practice_code"]: row["neighbourhood_code"] for row in rows} | dict(site.geography.neighbourhood_of_practice)
