/** Where the browser comes back to: exactly this address of the gateway's is registered with an authorization server. */
export const callbackPath = '/oauth/callback';

/** The gateway as a client of OAuth, in a document that its own address names (client id metadata document). */
export const clientPath = '/oauth/client.json';
