"""Who asked for a run: the name that the proxy vouches for becomes a tag of the run, so that the page and the audit copy say it.

Only an installation behind deploy/nginx.conf uses this: the proxy always overwrites the header, so that nobody can sign in as somebody else. Runs of
schedules and sensors have no such name. What does not belong here: who may ask, which is the proxy's to say.
"""

from __future__ import annotations

import dagster as dg

HEADER, TAG = "X-Forwarded-Email", "fuller/requested_by"
LONGEST = 200


class RequestedBy(dg.QueuedRunCoordinator):
    """The queue of runs, which notes the name beside each run that a person asked for."""

    def submit_run(self, context: dg.SubmitRunContext) -> dg.DagsterRun:
        """Put a run in the queue, with the name of whoever asked, as the proxy gave it."""
        if who := context.get_request_header(HEADER):
            self._instance.add_run_tags(context.dagster_run.run_id, {TAG: who[:LONGEST]})
        return super().submit_run(context)
