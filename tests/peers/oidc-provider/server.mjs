// The certified server `oidc-provider`, configured for the tests. It listens on a free port of 127.0.0.1 (or PORT), prints
// one line of JSON when it is ready, counts what it is asked (GET /_test/requests) and leaves when its standard input closes.
// Environment: PORT, ISSUER (when something stands in front of it), AT_TTL, RT_TTL, DEVICE_TTL (seconds), ID_TOKEN_ALG (RS256,
// PS256, ES256, EdDSA), ROTATE (1 or 0), CERTIFICATE_CLIENTS (JSON), ASSERTION_ALGS (separated by commas), RESOURCE (the audience
// of access tokens, which are then JWTs) with RESOURCE_SCOPE.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider, errors } from 'oidc-provider';

import { certificateClients, clients } from './clients.mjs';

const seconds = (name, otherwise) => Number(process.env[name] ?? otherwise);

function signingKeys() {
  const key = (alg, type, options) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg,
  });
  return {
    keys: [
      key('RS256', 'rsa', { modulusLength: 2048 }),
      key('PS256', 'rsa', { modulusLength: 2048 }),
      key('ES256', 'ec', { namedCurve: 'P-256' }),
      key('EdDSA', 'ed25519'),
    ],
  };
}

async function findAccount(_ctx, login) {
  const claims = { sub: login, preferred_username: login, name: `Test user ${login}`, email: `${login}@example.test`, email_verified: true };
  return { accountId: login, claims: async () => claims };
}

/** One resource, also for requests that name none (RFC 8707). */
function resourceIndicators(audience) {
  const server = { scope: process.env.RESOURCE_SCOPE ?? '', audience, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
  return {
    enabled: true,
    defaultResource: async () => audience,
    useGrantedResource: async () => true,
    getResourceServerInfo: async () => server,
  };
}

function configuration() {
  const accessToken = seconds('AT_TTL', 3600);
  const idTokenAlg = process.env.ID_TOKEN_ALG ?? 'RS256';
  return {
    clients: [...clients(idTokenAlg), ...certificateClients(JSON.parse(process.env.CERTIFICATE_CLIENTS ?? '[]'), idTokenAlg)],
    ...(process.env.ASSERTION_ALGS && { enabledJWA: { clientAuthSigningAlgValues: process.env.ASSERTION_ALGS.split(',') } }),
    jwks: signingKeys(),
    cookies: { keys: [randomBytes(16).toString('hex')] },
    findAccount,
    scopes: ['openid', 'profile', 'email', 'offline_access', 'api:read', 'api:write', 'mail:read'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false, // the id_token itself says who signed in
    rotateRefreshToken: (process.env.ROTATE ?? '1') === '1', // a used one revokes the whole grant
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      ...(process.env.RESOURCE && { resourceIndicators: resourceIndicators(process.env.RESOURCE) }),
    },
    ttl: {
      AccessToken: accessToken,
      ClientCredentials: accessToken,
      AuthorizationCode: 60,
      DeviceCode: seconds('DEVICE_TTL', 600),
      Grant: 14 * 86400,
      IdToken: 3600,
      Interaction: 600,
      RefreshToken: seconds('RT_TTL', 86400),
      Session: 86400,
    },
  };
}

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** Token exchange (RFC 8693), which the package leaves to its users: a user's access token for one of the asking client. */
function registerExchange(provider) {
  const parameters = ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'resource', 'scope'];
  provider.registerGrantType(EXCHANGE, async (ctx) => {
    const { params, client } = ctx.oidc;
    if (params.subject_token_type !== ACCESS_TOKEN) throw new errors.InvalidRequest('subject_token_type must be an access token');
    const subject = await provider.AccessToken.find(params.subject_token ?? '');
    if (!subject || subject.isExpired || !subject.accountId) throw new errors.InvalidRequest('the subject token is not good');
    if (params.audience === 'unknown') throw new errors.InvalidTarget('no such service');
    // Never more than what the user gave the first client.
    const wanted = (params.scope ?? '').split(' ').filter(Boolean);
    const scope = (wanted.length ? wanted : [...subject.scopes]).filter((it) => subject.scopes.has(it)).join(' ');
    const { accountId } = subject;
    const grant = new provider.Grant({ accountId, clientId: client.clientId });
    grant.addOIDCScope(scope);
    const token = new provider.AccessToken({
      accountId, client, grantId: await grant.save(), gty: 'token_exchange', scope,
      ...(params.audience && { extra: { service: params.audience } }),
    });
    ctx.body = {
      access_token: await token.save(), issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', expires_in: token.expiration, scope,
    };
  }, parameters, []);
}

/** Counts by route; at the token endpoint by grant type, and by what became of it: `token:refresh_token:400`. */
function countInto(counts) {
  const add = (name) => { counts[name] = (counts[name] ?? 0) + 1; };
  return async (ctx, next) => {
    try {
      await next();
    } finally {
      const route = ctx.oidc?.route ?? 'other';
      if (route === 'token') {
        const name = `token:${ctx.oidc.body?.grant_type ?? 'none'}`;
        add(name);
        add(`${name}:${ctx.status}`);
      }
      add(route);
    }
  };
}

function start(server) {
  const address = `127.0.0.1:${server.address().port}`;
  const issuer = process.env.ISSUER ?? `http://${address}`;
  const counts = {};
  const provider = new Provider(issuer, configuration());
  registerExchange(provider);
  provider.use(countInto(counts));
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (request.url === '/_test/requests') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(counts));
    } else {
      answer(request, response);
    }
  });
  console.log(JSON.stringify({ issuer, address }));
}

process.stdin.on('end', () => process.exit(0)).resume();
const server = createServer();
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => start(server));
