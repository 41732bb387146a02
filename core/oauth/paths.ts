/** Where the browser comes back to: exactly this address of the gateway's is registered with an authorization server. */
export const callbackPath = '/oauth/callback';

/** The gateway as a client of OAuth, in a document that its own address names (client id metadata document). */
export const clientPath = '/oauth/client.json';

/** Who the gateway is to those who ask (OpenID Connect Registration, RFC 7591; the same as a document of its own). */
export const clientMetadata = (origin: string, method: string) => ({
	client_name: 'Sallyport',
	/** RFC 8252 lets what runs on somebody's own machine come back to it over plain http. */
	application_type: origin.startsWith('https:') ? 'web' : 'native',
	redirect_uris: [`${origin}${callbackPath}`],
	grant_types: ['authorization_code', 'refresh_token'],
	response_types: ['code'],
	token_endpoint_auth_method: method,
});
