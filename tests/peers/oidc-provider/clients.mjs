// The clients that the tests sign in with. Secrets are made up and hold the characters that RFC 6749 section 2.3.1 wants encoded.

import { X509Certificate } from 'node:crypto';

const redirects = ['http://127.0.0.1/', 'http://127.0.0.1/cb', 'http://localhost/', 'http://localhost/cb'];

/** All clients; id tokens are signed with this algorithm. */
export function clients(id_token_signed_response_alg) {
  const browserless = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };
  return [
    {
      client_id: 'native-app',
      client_name: 'Native app',
      application_type: 'native',
      redirect_uris: redirects,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      id_token_signed_response_alg,
    },
    {
      client_id: 'confidential-app',
      client_name: 'Confidential app',
      client_secret: 'confidential secret: +/%&=?~',
      application_type: 'native',
      redirect_uris: [...redirects, 'http://127.0.0.1/login/authorized'],
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      id_token_signed_response_alg,
    },
    {
      client_id: 'web-app',
      client_name: 'Web app',
      client_secret: 'web secret: +/%&=?~',
      application_type: 'web',
      redirect_uris: ['https://web.example/login/authorized'],
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg,
    },
    { client_id: 'service-app', client_secret: 'service secret: +/%&=?~', token_endpoint_auth_method: 'client_secret_basic', ...browserless },
    { client_id: 'service-app-post', client_secret: 'posted secret: +/%&=?~', token_endpoint_auth_method: 'client_secret_post', ...browserless },
    {
      client_id: 'exchange-app',
      client_secret: 'exchange secret: +/%&=?~',
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: [],
      response_types: [],
      grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'],
    },
    { client_id: 'introspector', client_secret: 'introspector-secret', token_endpoint_auth_method: 'client_secret_basic', ...browserless },
  ];
}

/** Clients that sign assertions with the key of a certificate: `[client_id, PEM]` each. */
export function certificateClients(list, id_token_signed_response_alg) {
  return list.map(([client_id, pem]) => ({
    client_id,
    application_type: 'native',
    redirect_uris: redirects,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ ...new X509Certificate(pem).publicKey.export({ format: 'jwk' }), use: 'sig' }] },
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types: ['code'],
    id_token_signed_response_alg,
  }));
}
