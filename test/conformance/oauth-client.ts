import {openBrowser} from '../helpers/browser.ts';
import {startGateway} from '../helpers/gateway.ts';
import {wireTo} from '../helpers/mcp-wire.ts';

/**
 * What the official runner starts as a client of its servers: a gateway with that server behind it, somebody who lists and calls its
 * tools, and a browser that follows every link. The server and its authorization server are on this machine, so they are named.
 */
const url = process.argv.at(-1)!;
const {
	client_id: clientId,
	client_secret: clientSecret,
	private_key_pem: privateKey,
} = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}') as Record<string, string | undefined>;

const issuerOf = async (): Promise<string | undefined> => {
	const said = await fetch(url, {
		method: 'POST',
		headers: {'content-type': 'application/json', accept: 'application/json, text/event-stream'},
		body: '{}',
	});
	const {origin, pathname} = new URL(url);
	const named = /resource_metadata="([^"]+)"/.exec(said.headers.get('www-authenticate') ?? '')?.[1];
	const wellKnown = `${origin}/.well-known/oauth-protected-resource`;
	for (const place of named === undefined ? [`${wellKnown}${pathname}`, wellKnown] : [named]) {
		const metadata = await fetch(place);
		if (metadata.ok) return ((await metadata.json()) as {authorization_servers?: string[]}).authorization_servers?.[0];
	}
	return undefined;
};

const issuer = await issuerOf();
const hosts = [url, ...(issuer === undefined ? [] : [issuer])].flatMap(address =>
	['localhost', '127.0.0.1', '[::1]'].map(name => `${name}:${new URL(address).port}`),
);
const grant = /client-credentials/.test(process.env.MCP_CONFORMANCE_SCENARIO ?? '') ? 'client_credentials' : 'authorization_code';

const ends: (() => unknown)[] = [];
try {
	const gateway = await startGateway(
		{teardown: close => void ends.push(close)},
		{
			servers: {
				theirs: {
					url,
					oauth: {
						grant,
						hosts,
						...(clientId !== undefined && {clientId}),
						...(clientSecret !== undefined && {clientSecret, issuer}),
						...(privateKey !== undefined && {privateKey, issuer, algorithm: 'ES256'}),
					},
				},
			},
			plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
		},
	);
	const wire = wireTo(`${gateway.url}/mcp/theirs`, await gateway.key({tenant: 'acme', user: 'ada'}));
	for (let logins = 0; logins < 3; logins++) {
		const listed = await wire.ask('tools/list');
		const [tool] = (listed.body.result?.tools ?? []) as {name: string}[];
		const {link} = (tool ? await wire.call(tool.name) : listed).body.error?.data ?? {};
		if (typeof link !== 'string') break;
		const browser = openBrowser();
		// Where the gateway does not go on, there is no form.
		const back = await browser.logIn(link).catch(() => undefined);
		if (back === undefined) break;
		await browser.go(back);
	}
} finally {
	for (const close of ends.reverse()) await close();
}
