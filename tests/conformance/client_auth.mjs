// What a user would have configured as `auth` of the remote for a scenario of the suite's client leg.

// The document that the suite takes for ours, whether or not anybody can read it.
const clientMetadataUrl = 'https://conformance-test.local/client-metadata.json';

// The type of auth of the scenarios that are about an extension, with its own keys.
const extensions = {
  'auth/client-credentials-basic': () => ({ type: 'client_credentials' }),
  'auth/client-credentials-jwt': ({ private_key_pem, signing_algorithm }) => ({
    type: 'client_credentials',
    private_key: private_key_pem,
    signing_algorithm,
  }),
  'auth/enterprise-managed-authorization': ({ idp_client_id, idp_id_token, idp_token_endpoint }) => ({
    type: 'enterprise',
    idp_client_id,
    id_token: idp_id_token,
    idp_token_endpoint,
  }),
  'auth/wif-jwt-bearer': ({ valid_jwt }) => ({ type: 'workload_identity', token: valid_jwt }),
};

// From the suite's name of the scenario and its context.
export function authOf(scenario, context) {
  const { client_id, client_secret } = context;
  const registered = { ...(client_id && { client_id }), ...(client_secret && { client_secret }) };
  const extension = extensions[scenario]?.(context);
  // The suite's authorization servers ask nobody.
  return { ...(extension ?? { consent: 'automatic', client_metadata_url: clientMetadataUrl }), ...registered };
}

// A TOML table of it, in one line. Its texts are JSON's, which TOML reads alike.
export function toToml(table) {
  return `{ ${Object.entries(table).map(([key, value]) => `${key} = ${JSON.stringify(value)}`).join(', ')} }`;
}
