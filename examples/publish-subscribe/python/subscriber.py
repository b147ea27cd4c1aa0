"""Prints every message of the hub until it is ended with Ctrl+C."""

import logging
import os
import signal
import sys
import threading

from azure.messaging.webpubsubclient import WebPubSubClient, WebPubSubClientCredential
from azure.messaging.webpubsubclient.models import CallbackType, OpenClientError
from azure.messaging.webpubsubservice import WebPubSubServiceClient

connection_string = os.environ.get("WebPubSubConnectionString")
if not connection_string:
    sys.exit("Set WebPubSubConnectionString to the connection string of the service.")

# The library also warns of what is nothing to worry about, such as its own end.
logging.getLogger("azure.messaging.webpubsubclient").setLevel(logging.ERROR)

service = WebPubSubServiceClient.from_connection_string(connection_string, hub="notices")

# The URL holds a token that is good for an hour; the client asks for a new one when it has to connect again.
client = WebPubSubClient(WebPubSubClientCredential(lambda: service.get_client_access_token()["url"]))
client.subscribe(CallbackType.CONNECTED, lambda _: print("Connected. Waiting for messages.", flush=True))
client.subscribe(CallbackType.SERVER_MESSAGE, lambda message: print(f"Received: {message.data}", flush=True))

ended = threading.Event()
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: ended.set())

try:
    client.open()
except OpenClientError as error:
    sys.exit(f"The connection failed: {error}")
ended.wait()
client.close()
