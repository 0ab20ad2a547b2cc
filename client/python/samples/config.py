"""What the samples run with. No client secret is here: the daemon has it.

    broker-cli app add graph-sample --client-id ID --client-secret-stdin --scope User.Read \\
        --redirect-uri http://localhost:5000/login/authorized
"""

#: Name of the application in the broker.
APPLICATION = "graph-sample"
#: As it is registered at Microsoft Entra ID, too.
REDIRECT_URI = "http://localhost:5000/login/authorized"
#: Where the profile is.
GRAPH = "https://graph.microsoft.com/v1.0"
#: What the user is asked to consent to.
SCOPES = ["User.Read"]
