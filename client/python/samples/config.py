"""What the samples run with, each changed by an environment variable of the same name. No client secret is here: the daemon has it.

    broker-cli app add graph-sample --client-id ID --client-secret-stdin --scope User.Read \\
        --redirect-uri http://localhost:5000/login/authorized
"""

import os

#: Name of the application in the broker.
APPLICATION = os.environ.get("APPLICATION", "graph-sample")
#: As it is registered at Microsoft Entra ID, too. The samples listen on its host and port.
REDIRECT_URI = os.environ.get("REDIRECT_URI", "http://localhost:5000/login/authorized")
#: Where profile and messages are.
GRAPH = os.environ.get("GRAPH", "https://graph.microsoft.com/v1.0")
#: What every user is asked to consent to.
SCOPES = ["User.Read"]
#: What a user who wants to see messages is asked to consent to besides.
MAIL_SCOPES = ["Mail.Read"]
#: How the provider greets a user who is not known yet; empty leaves it to the provider.
PROMPT = os.environ.get("PROMPT", "select_account")
#: The ten newest messages, relative to `GRAPH`.
NEWEST = "me/messages?$top=10&$select=subject,from,receivedDateTime&$orderby=receivedDateTime%20desc"
