"""Telling people outside the console: where notices go, and an outbox that loses none and sends none twice on purpose.

One way of sending a file; `Outbox.put` is one row with a key of what it is for, in the caller's transaction. May import
errors, settings and state; it knows nothing of what is told.
"""

from tilth.notify.destinations import Destination, Destinations, KeptDestination
from tilth.notify.message import Attachment, Message
from tilth.notify.outbox import Delivery, Outbox

__all__ = ["Attachment", "Delivery", "Destination", "Destinations", "KeptDestination", "Message", "Outbox"]
