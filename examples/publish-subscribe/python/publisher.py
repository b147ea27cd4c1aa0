"""Sends its arguments to everybody in the hub, one message each; without any, every line of its standard input."""

import os
import sys

from azure.messaging.webpubsubservice import WebPubSubServiceClient

connection_string = os.environ.get("WebPubSubConnectionString")
if not connection_string:
    sys.exit("Set WebPubSubConnectionString to the connection string of the service.")

service = WebPubSubServiceClient.from_connection_string(connection_string, hub="notices")

for text in sys.argv[1:] or (line.rstrip("\n") for line in sys.stdin):
    service.send_to_all(text, content_type="text/plain")
    print(f"Sent: {text}", flush=True)
