"""Microsoft Graph's own SDK, whole, with our credential: it reads the profile, and a claims challenge is answered."""

import asyncio
import gc

import pytest
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory

from conftest import CLAIMS
from token_broker import aio
from token_broker.azure import AsyncBrokerCredential


@pytest.mark.filterwarnings("ignore")  # the SDK warns of its own parts, and leaves the connection of a 401 to the collector
def test_the_sdk_reads_the_profile_and_answers_a_challenge(stage, graph, ada):
    asked = []

    class Told(AsyncBrokerCredential):
        async def get_token(self, *scopes, claims=None, **options):
            asked.append((scopes, claims))
            return await super().get_token(*scopes, claims=claims, **options)

    async def read():
        client = GraphClientFactory.create_with_default_middleware(options=options)
        async with client, aio.Application("mail", stage.socket) as mail:
            credential = Told(mail, ada)
            provider = AzureIdentityAuthenticationProvider(credential, scopes=["User.Read"], allowed_hosts=["127.0.0.1"])
            adapter = GraphRequestAdapter(provider, client)
            adapter.base_url = graph.base
            profile = await GraphServiceClient(request_adapter=adapter).me.get()
            return profile.display_name

    graph.challenge_next()
    assert asyncio.run(read()) == "Test user ada"
    gc.collect()
    assert asked == [(("User.Read",), None), (("User.Read",), CLAIMS)]
    assert len(graph.tokens) == len(set(graph.tokens)) == 2
