"""MSAL Python and azure-identity on a machine of Azure that the tests play: a line of JSON on standard input for each token that is
wanted, a line with what came on standard output. Run by tests/it/managed_identity."""

import json
import os
import sys

import msal
import msal.cloudshell
import msal.managed_identity
import requests

#: Variables that a source is found by; a line names those of its own.
VARIABLES = [
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "AZUREPS_HOST_ENVIRONMENT",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
]
RESOURCE = "https://vault.azure.net"


class CloudShell:
    """Sends what MSAL sends to its fixed port to the one that the environment names."""

    def post(self, _url, **request):
        return requests.post(os.environ["MSI_ENDPOINT"], **request)


def by_msal(wanted):
    identity = wanted["identity"]
    if wanted["source"] == "cloud-shell":
        return [msal.cloudshell._obtain_token(CloudShell(), [RESOURCE])["access_token"]]
    who = msal.UserAssignedManagedIdentity(**identity) if identity else msal.SystemAssignedManagedIdentity()
    session = requests.Session()
    client = msal.ManagedIdentityClient(who, http_client=session, client_capabilities=wanted["capabilities"] or None)
    tokens = []
    for claims in [None] + ([wanted["claims"]] if wanted["claims"] else []):
        answer = client.acquire_token_for_client(resource=RESOURCE, claims_challenge=claims)
        tokens.append(answer["access_token"])
    return tokens


def by_azure_identity(wanted):
    from azure.identity import ManagedIdentityCredential

    identity = dict(wanted["identity"])
    client_id = identity.pop("client_id", None)
    credential = ManagedIdentityCredential(client_id=client_id, identity_config=identity or None)
    tokens = []
    for claims in [None] + ([wanted["claims"]] if wanted["claims"] else []):
        tokens.append(credential.get_token(RESOURCE + "/.default", claims=claims).token)
    return tokens


def main():
    for line in sys.stdin:
        wanted = json.loads(line)
        for name in VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(wanted["environment"])
        # Only root may write to the agent's own folder.
        msal.managed_identity._supported_arc_platforms_and_their_prefixes["linux"] = wanted["arc_keys"]
        ask = by_msal if wanted["library"] == "msal" else by_azure_identity
        try:
            answer = {"tokens": ask(wanted)}
        except Exception as error:  # The test shows it.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
