import * as z from 'zod';
import type {capability} from './manifest.ts';
import {scope as oauthScope} from './principal.ts';

/** A value that `core/config.ts` takes from the environment; made by `env()` and `optionalEnv()`. */
export const fromEnv = z.strictObject({env: z.string().regex(/^[A-Za-z_]\w*$/), optional: z.boolean().optional()});
export type FromEnv = z.output<typeof fromEnv>;

const secret = z.union([z.string().min(1), fromEnv]);
const nameList = z.union([z.string(), z.array(z.string()).min(1)]);
const providerName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a provider name is lower-case letters, digits and dashes');
const deployment = z.string().regex(/^[a-z][a-z0-9-]{0,62}\/.+$/, 'a deployment is written provider/model');

export const provider = z.strictObject({
	speaks: z.enum(['openai', 'anthropic']),
	/** Up to but without `/chat/completions` or `/messages`: `https://api.openai.com/v1`. */
	baseUrl: z.url({protocol: /^https?$/}).optional(),
	key: secret.optional(),
	/** Longest wait for the first byte of an answer. */
	timeoutMs: z.int().min(1).max(3_600_000).default(120_000),
	/** Longest silence between two bytes of an answer. */
	idleMs: z.int().min(1).max(3_600_000).default(60_000),
	/** Most sockets to this provider. */
	connections: z.int().min(1).max(4_096).default(256),
});
export type Provider = z.output<typeof provider>;

const serverName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'a server name is up to 32 lower-case letters, digits and dashes');
const headerName = z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'a header name is letters, digits and dashes');

const httpUrl = z.url({protocol: /^https?$/});

/** How the gateway gets the tokens that it shows to an MCP server (OAuth 2.1). */
export const serverOAuth = z
	.strictObject({
		/**
		 * `client_credentials`: the gateway's own. `authorization_code`: each user's own, who is sent to log in once. `token_exchange`: for the token
		 * that a caller came with, another one (RFC 8693); the caller's own never goes on.
		 */
		grant: z.enum(['client_credentials', 'authorization_code', 'token_exchange']),
		/** The authorization server, exactly as its metadata spells it. Left out, the MCP server says which, and gets no secret of ours to send there. */
		issuer: httpUrl.optional(),
		/** As it is registered there; left out, the address of `/oauth/client.json`, where it takes such (client id metadata documents). */
		clientId: z.string().min(1).max(2_000).optional(),
		clientSecret: secret.optional(),
		/** PKCS #8 in PEM, to sign for the gateway with (`private_key_jwt`). */
		privateKey: secret.optional(),
		algorithm: z.enum(['RS256', 'PS256', 'ES256', 'RS384', 'PS384', 'ES384', 'RS512', 'PS512', 'ES512']).default('RS256'),
		scopes: z.array(oauthScope).max(50).default([]),
		/** What tokens are asked for (RFC 8707); the server's url, unless said otherwise. */
		resource: z.string().min(1).max(2_000).optional(),
		/** Of a token exchange. */
		audience: z.string().min(1).max(2_000).optional(),
		/** Hosts beside public ones that may be asked, addresses as they are: `10.0.0.5:8443`. Those of `url` and `issuer` may be. */
		hosts: z.array(z.string().min(1)).max(20).default([]),
	})
	.refine(({grant, issuer, clientId}) => grant === 'authorization_code' || (issuer !== undefined && clientId !== undefined), {
		error: 'this grant needs an issuer and a clientId',
	})
	.refine(({issuer, clientSecret, privateKey}) => issuer !== undefined || (clientSecret === undefined && privateKey === undefined), {
		error: 'with a secret or a key goes an issuer: nobody else is to be shown it',
	})
	.refine(({clientId, clientSecret, privateKey}) => clientId !== undefined || (clientSecret === undefined && privateKey === undefined), {
		error: 'with a secret or a key goes a clientId',
	})
	.refine(
		({clientSecret, privateKey}) => clientSecret === undefined || privateKey === undefined,
		'write clientSecret or privateKey, not both',
	);
export type ServerOAuth = z.output<typeof serverOAuth>;

/** An MCP server: a process that speaks over stdio, or an endpoint over HTTP. */
export const server = z
	.strictObject({
		/** Only this file can name a command: nothing that comes over the network starts a process. */
		stdio: z
			.strictObject({
				command: z.string().min(1),
				args: z.array(z.string()).default([]),
				/** The whole environment of the process: it inherits nothing, not even PATH. */
				env: z.record(z.string().regex(/^[A-Za-z_]\w*$/), secret).default({}),
			})
			.optional(),
		url: z.url({protocol: /^https?$/}).optional(),
		/** `http`: streamable HTTP. `sse`: the transport of 2024-11-05, where `url` is that of the stream. Left out, it is found out. */
		transport: z.enum(['http', 'sse']).optional(),
		/** Sent as `authorization: Bearer …`. */
		bearer: secret.optional(),
		/** Sent as `authorization: Basic …` (RFC 7617). */
		basic: z
			.strictObject({
				user: z
					.string()
					.min(1)
					.max(500)
					.regex(/^[^:]+$/, 'a user name has no colon'),
				password: secret,
			})
			.optional(),
		oauth: serverOAuth.optional(),
		headers: z.record(headerName, secret).optional(),
		/** What this server may ask of its callers while it works for them, where they offer it: a form to fill in, a page to visit, an answer of their model, their folders. */
		asks: z.array(z.enum(['elicitation', 'elicitation-url', 'sampling', 'roots'])).default([]),
		/** Longest wait for a whole answer. */
		timeoutMs: z.int().min(1).max(3_600_000).default(120_000),
		/** Most sockets to this server. */
		connections: z.int().min(1).max(4_096).default(256),
	})
	.refine(({stdio, url}) => (stdio === undefined) !== (url === undefined), 'a server has either stdio or a url')
	.refine(({url, transport}) => url !== undefined || transport === undefined, 'transport is for a server with a url')
	.refine(
		({bearer, basic, oauth, headers = {}}) =>
			[bearer, basic, oauth, Object.keys(headers).find(name => name.toLowerCase() === 'authorization')].filter(way => way !== undefined)
				.length <= 1,
		'one of bearer, basic, oauth and an authorization header is enough',
	)
	.refine(({stdio, bearer, basic, oauth}) => !stdio || !(bearer ?? basic ?? oauth), 'a process gets its secrets in env');
export type Server = z.output<typeof server>;

const usdPerMTok = z.number().min(0).max(1e6);

/** US dollars per million tokens. What has no price of its own costs what `input` or `output` does; a cache entry of an hour what any other does. */
const tokenPrices = {
	inputUsdPerMTok: usdPerMTok,
	outputUsdPerMTok: usdPerMTok,
	cacheReadUsdPerMTok: usdPerMTok.optional(),
	cacheWriteUsdPerMTok: usdPerMTok.optional(),
	cacheWrite1hUsdPerMTok: usdPerMTok.optional(),
	reasoningUsdPerMTok: usdPerMTok.optional(),
	audioInputUsdPerMTok: usdPerMTok.optional(),
	audioCacheReadUsdPerMTok: usdPerMTok.optional(),
	audioOutputUsdPerMTok: usdPerMTok.optional(),
	imageInputUsdPerMTok: usdPerMTok.optional(),
	imageCacheReadUsdPerMTok: usdPerMTok.optional(),
	imageOutputUsdPerMTok: usdPerMTok.optional(),
};

/** What the gateway counts by itself. */
export const knownUnits = ['requests', 'webSearches', 'webFetches', 'fileSearches', 'codeExecutions', 'otherModelTokens'] as const;

const unit = z.strictObject({
	/** US dollars for one. */
	usd: z.number().min(0).max(1_000),
	/** Where an answer says how many: `usage.gpu_seconds`. A fraction counts as a whole one. Not for the units the gateway counts. */
	reported: z
		.string()
		.regex(/^[\w-]+(\.[\w-]+)*$/)
		.optional(),
	/** The most one request can use: set aside before it, and charged when the answer does not say. */
	most: z.int().min(0).max(1e9).optional(),
});
export type PricedUnit = z.output<typeof unit>;

const isComplete = (units: Record<string, PricedUnit>): boolean =>
	Object.entries(units).every(([name, {reported, most}]) => {
		const known = (knownUnits as readonly string[]).includes(name);
		return known ? reported === undefined : reported !== undefined && most !== undefined;
	});

/** The price of a deployment; by `provider/model`, where `*` at the end stands for the rest. It stands in the place of the shipped one, as a whole. */
export const price = z.strictObject({
	...tokenPrices,
	/** Other prices for all tokens of a request with more input than this. */
	above: z.array(z.strictObject({inputTokens: z.int().min(1), ...tokenPrices})).optional(),
	/** What a service tier multiplies every token's price by: `{flex: 0.5, priority: 2}`. One that is not named costs the same. */
	tiers: z.record(z.string(), z.number().min(0).max(1_000)).optional(),
	/** What is charged by the piece. One of the gateway's own that is used and has no price makes the cost unknown. */
	units: z
		.record(z.string().regex(/^[a-z]\w{0,62}$/i), unit)
		.refine(isComplete, 'a unit of your own needs `reported` and `most`; one that the gateway counts takes no `reported`')
		.optional(),
	/** The most output one answer can have, reserved when a request names no maximum. */
	maxOutputTokens: z.int().min(1).optional(),
});
export type Price = z.output<typeof price>;

/** What calls of MCP tools cost; by `server/tool`, where `*` at the end stands for the rest. */
export const toolPrice = z.strictObject({
	usdPerCall: z.number().min(0).max(1_000).default(0),
	/** US dollars for a million bytes of its result, as JSON. */
	usdPerMB: z.number().min(0).max(1_000).default(0),
	/** The most a result can be, in millions of bytes: paid for before the call, and a larger one is refused. As much as `limits.replyMb` when left out. */
	mostMB: z.number().min(0).max(1_000).optional(),
});
export type ToolPrice = z.output<typeof toolPrice>;

const scope = z.strictObject({
	surface: nameList.optional(),
	tenant: nameList.optional(),
	team: nameList.optional(),
	key: nameList.optional(),
	model: nameList.optional(),
	operation: nameList.optional(),
	server: nameList.optional(),
	tool: nameList.optional(),
	tag: nameList.optional(),
});
export type Scope = z.output<typeof scope>;

export const pluginEntry = z.strictObject({
	/** A shipped plugin's name, or a path (beginning with `.` or `/`) to a plugin's folder. */
	use: z.string().min(1),
	/** The name of this instance, where one plugin is used twice. */
	as: z
		.string()
		.regex(/^[a-z][a-z0-9-]{0,62}$/)
		.optional(),
	config: z.record(z.string(), z.unknown()).optional(),
	mode: z.enum(['enforce', 'observe']).default('enforce'),
	when: scope.optional(),
	onFailure: z.enum(['deny', 'allow']).default('deny'),
	/** `inline` only for code trusted by digest; wasm is always `process`. */
	tier: z.enum(['inline', 'process']).optional(),
	/** The digest that makes a plugin of one's own fit for `inline`: `sha256:…`. */
	trust: z
		.string()
		.regex(/^sha256:[0-9a-f]{64}$/)
		.optional(),
	grants: z
		.strictObject({
			kv: z.literal(true).optional(),
			clock: z.literal(true).optional(),
			random: z.literal(true).optional(),
			log: z.literal(true).optional(),
			metrics: z.literal(true).optional(),
			ledger: z.literal(true).optional(),
			crypto: z.literal(true).optional(),
			/** Hosts (`name`, `name:port`, `*.name`); a private address has to be named as it is. */
			http: z.array(z.string().min(1)).min(1).optional(),
			secrets: z.record(z.string(), secret).optional(),
		} satisfies Record<z.output<typeof capability>, z.ZodType>)
		.default({}),
});
export type PluginEntry = z.output<typeof pluginEntry>;

/** `gateway.config.ts`. An unknown key stops the boot. */
export const gatewayConfig = z.strictObject({
	listen: z
		.string()
		.regex(/^(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}$/, 'write host:port, like 127.0.0.1:8787')
		.default('127.0.0.1:8787'),
	/** What clients call this gateway by, up to but without `/mcp`: `https://gateway.acme.example`. OAuth needs it, except on loopback. */
	publicUrl: httpUrl.regex(/^https?:\/\/[^/?#@]+$/, 'write the origin, like https://gateway.acme.example').optional(),
	/** At least 32 characters, the same for all gateways on one database: what users' tokens are sealed with. Beside a SQLite file one is made by itself. */
	sealingKey: secret.optional(),
	/** How many gateway processes share the address: as many as there are cores. Each keeps a chain of the journal of its own. */
	workers: z.int().min(1).max(256).default(1),
	/** A SQLite file; `sqlite:` may stand before it. Or a PostgreSQL database, for several gateways: `env('DATABASE_URL')`, since its URL has a password in it. */
	store: secret.default('data/gateway.db'),
	journal: z
		.strictObject({
			folder: z.string().min(1).default('data/journal'),
			payloads: z.enum(['none', 'digest']).default('digest'),
			/** A segment is closed and signed at this size. */
			segmentMb: z.number().min(0.001).max(1_024).default(64),
		})
		.prefault({}),
	ledger: z
		.strictObject({
			/** What becomes of a request that needs more than this process has leased while the store cannot be asked: `allow` may go over a limit. */
			onStoreDown: z.enum(['deny', 'allow']).default('deny'),
		})
		.prefault({}),
	/** Serve without any plugin that asks who is there: everyone is `anonymous`. */
	anonymous: z.literal(true).optional(),
	/** What becomes of an exchange that still runs when its key is revoked, blocked or over: `finish` records it, `cut` ends it at once. */
	revoked: z.strictObject({running: z.enum(['finish', 'cut']).default('finish')}).prefault({}),
	/** `trust`: take the client's address from the last entry of `x-forwarded-for`, which the proxy itself wrote. */
	proxy: z.enum(['none', 'trust']).default('none'),
	limits: z
		.strictObject({
			bodyMb: z.number().min(0.001).max(1_024).default(32),
			/** How long a client may take to send its request. */
			bodyMs: z.int().min(10).default(30_000),
			headersMs: z.int().min(10).default(10_000),
			/** How long a shutdown waits for running exchanges. */
			drainMs: z.int().min(0).default(10_000),
			/** Most exchanges that wait for an approval at a time; whoever comes then is told to come again. */
			held: z.int().min(0).max(100_000).default(1_000),
			/** Largest answer of an upstream that does not stream. */
			replyMb: z.number().min(0.001).max(1_024).default(64),
		})
		.prefault({}),
	providers: z.record(providerName, provider).default({}),
	/** Name a client asks for → deployments, best first; the next is tried when one fails. */
	models: z.record(z.string().min(1).max(200), z.array(deployment).min(1)).default({}),
	prices: z.record(z.string().min(1), price).default({}),
	toolPrices: z
		.record(
			z.string().regex(/^([a-z][a-z0-9-]{0,31}\/.{1,300}|[a-z0-9-]*\*)$/, "a tool is written server/tool, and '*' may end it"),
			toolPrice,
		)
		.default({}),
	/** MCP servers, served together at `/mcp` and each at `/mcp/<name>`. */
	servers: z.record(serverName, server).default({}),
	mcp: z
		.strictObject({
			/** Names beside the address it listens on that a client may call this gateway by: `gateway.acme.example`. */
			hosts: z.array(z.string().min(1)).default([]),
			/** Web pages that may call it from a browser: `https://console.acme.example`. */
			origins: z.array(z.string().min(1)).default([]),
			/** What a tool without a price costs: nothing, or nobody knows, and then a budget refuses it. */
			unpriced: z.enum(['free', 'refuse']).default('free'),
			/** Where clients get tokens for these doors (RFC 9728); the plugin `jwt` is what checks them. */
			oauth: z
				.strictObject({
					authorizationServers: z.array(httpUrl).min(1).max(10),
					/** Those that a client is told to ask for at first. */
					scopes: z.array(oauthScope).max(100).default([]),
				})
				.optional(),
		})
		.prefault({}),
	/** Requests go down this list, responses come back up it. */
	plugins: z.array(pluginEntry).default([]),
});

export type GatewayConfig = z.output<typeof gatewayConfig>;
export type GatewayConfigInput = z.input<typeof gatewayConfig>;
