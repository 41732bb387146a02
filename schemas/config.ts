import * as z from 'zod';
import {secret} from './from-env.ts';
import type {capability} from './manifest.ts';
import {httpUrl, server, serverName} from './mcp-server.ts';
import {price, toolPrice} from './price.ts';
import {scope as oauthScope} from './principal.ts';

const nameList = z.union([z.string(), z.array(z.string()).min(1)]);
const providerName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a provider name is lower-case letters, digits and dashes');
const deployment = z.string().regex(/^[a-z][a-z0-9-]{0,62}\/.+$/, 'a deployment is written provider/model');

export const provider = z.strictObject({
	/** The API that it speaks; clients reach its models by that one alone. */
	speaks: z.enum(['openai', 'anthropic']),
	/** Up to but without `/chat/completions` or `/messages`: `https://api.openai.com/v1`. */
	baseUrl: z.url({protocol: /^https?$/}).optional(),
	/** The gateway's own key there, which no client sees. With `optionalEnv` and an unset variable the provider is left out. */
	key: secret.optional(),
	/** Longest wait for the first byte of an answer. */
	timeoutMs: z.int().min(1).max(3_600_000).default(120_000),
	/** Longest silence between two bytes of an answer. */
	idleMs: z.int().min(1).max(3_600_000).default(60_000),
	/** Most sockets to this provider. */
	connections: z.int().min(1).max(4_096).default(256),
});
export type Provider = z.output<typeof provider>;

const scope = z.strictObject({
	/** By what it came: `openai`, `anthropic`, `mcp`, or `gateway` for what is under `/self/`. The one key that counts at `pre-auth`. */
	surface: nameList.optional(),
	/** Of whoever asks. */
	tenant: nameList.optional(),
	/** Of whoever asks. */
	team: nameList.optional(),
	/** A virtual key's id, `key_…`; it stands for the keys minted from it too. */
	key: nameList.optional(),
	/** As the client names it. */
	model: nameList.optional(),
	/** `chat`, `messages`, `tools/call` …: those of docs/hooks.md. */
	operation: nameList.optional(),
	/** The MCP server. */
	server: nameList.optional(),
	/** `write_file` of any server, or `files/write_file`. */
	tool: nameList.optional(),
	/** One of the exchange's tags. */
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
	/** What the plugin's README says. */
	config: z.record(z.string(), z.unknown()).optional(),
	/** `observe`: its verdicts are recorded and not carried out. */
	mode: z.enum(['enforce', 'observe']).default('enforce'),
	/** Asked only about exchanges that fit every key here: a name, several, or what a name begins with (`gpt-*`). */
	when: scope.optional(),
	/** What becomes of an exchange that it could not answer about. */
	onFailure: z.enum(['deny', 'allow']).default('deny'),
	/** `inline` only for code trusted by digest; wasm is always `process`. Left out: `inline` for what is shipped, `process` for your own. */
	tier: z.enum(['inline', 'process']).optional(),
	/** The digest that makes a plugin of one's own fit for `inline`: `sha256:…`. */
	trust: z
		.string()
		.regex(/^sha256:[0-9a-f]{64}$/)
		.optional(),
	/** What it is lent, of the capabilities that its manifest names. A shipped plugin has those with `true` by being named. */
	grants: z
		.strictObject({
			/** Storage of its own. */
			kv: z.literal(true).optional(),
			/** The time. */
			clock: z.literal(true).optional(),
			/** Random numbers, UUIDs and secrets. */
			random: z.literal(true).optional(),
			/** Lines in the gateway's log. */
			log: z.literal(true).optional(),
			/** Counters at `/metrics`. */
			metrics: z.literal(true).optional(),
			/** The balances of accounts; inline alone. */
			ledger: z.literal(true).optional(),
			/** To check signatures with public keys. */
			crypto: z.literal(true).optional(),
			/** Hosts (`name`, `name:port`, `*.name`); a private address has to be named as it is. */
			http: z.array(z.string().min(1)).min(1).optional(),
			/** Secrets by the names that it asks for them by. */
			secrets: z.record(z.string(), secret).optional(),
			/** What it may ask, in its callers' name and at their cost: names that stand in `models`, or `provider/model`. */
			models: z.array(z.string().min(1).max(300)).min(1).max(50).optional(),
		} satisfies Record<z.output<typeof capability>, z.ZodType>)
		.default({}),
});
export type PluginEntry = z.output<typeof pluginEntry>;

/** `gateway.config.ts`. An unknown key stops the boot. */
export const gatewayConfig = z.strictObject({
	/** `host:port`; port 0 takes any that is free. */
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
	/** One record for each exchange: docs/journal.md. */
	journal: z
		.strictObject({
			/** Where its files stand, with the key that signs them. */
			folder: z.string().min(1).default('data/journal'),
			/** `masked` keeps what was said too, as the plugins let it pass: without one that masks, that is everything. */
			payloads: z.enum(['none', 'digest', 'masked']).default('digest'),
			/** Most that is kept of a request, and of an answer. */
			payloadKb: z.int().min(1).max(4_096).default(64),
			/** A segment is closed and signed at this size. */
			segmentMb: z.number().min(0.001).max(1_024).default(64),
		})
		.prefault({}),
	/** Who may spend how much: docs/ledger.md. */
	ledger: z
		.strictObject({
			/** What becomes of a request that needs more than this process has leased while the store cannot be asked: `allow` may go over a limit. */
			onStoreDown: z.enum(['deny', 'allow']).default('deny'),
		})
		.prefault({}),
	/** Serve without any plugin that asks who is there: everyone is `anonymous`. */
	anonymous: z.literal(true).optional(),
	/** Keys that end while something runs. */
	revoked: z
		.strictObject({
			/** What becomes of an exchange that still runs when its key is revoked, blocked or over: `finish` records it, `cut` ends it at once. */
			running: z.enum(['finish', 'cut']).default('finish'),
		})
		.prefault({}),
	/** Tools that a model asks for in its answer, and its client calls itself. */
	askedTools: z
		.strictObject({
			/** What becomes of the answer when such a call is denied: `cut` ends it with an error, `replace` puts a text into the place of the call. */
			denied: z.enum(['cut', 'replace']).default('cut'),
		})
		.prefault({}),
	/** How long, and how far, what a guard found in a session counts: docs/guards.md. */
	taints: z
		.strictObject({
			/** How long a session stays tainted after what tainted it was found, to a sixtieth of that time. */
			lastMs: z
				.int()
				.min(1_000)
				.max(30 * 86_400_000)
				.default(3_600_000),
			/** `key`: everything that the key does is tainted with its session, and everything that its parents and children do. */
			reach: z.enum(['session', 'key']).default('session'),
		})
		.prefault({}),
	/** `trust`: take the client's address from the last entry of `x-forwarded-for`, which the proxy itself wrote. */
	proxy: z.enum(['none', 'trust']).default('none'),
	/** What one client may ask of this gateway, in size and in time. */
	limits: z
		.strictObject({
			/** Largest body of a request. */
			bodyMb: z.number().min(0.001).max(1_024).default(32),
			/** How long a client may take to send its request. */
			bodyMs: z.int().min(10).default(30_000),
			/** How long a client may take to send its headers. */
			headersMs: z.int().min(10).default(10_000),
			/** How long a shutdown waits for running exchanges. */
			drainMs: z.int().min(0).default(10_000),
			/** Most exchanges that wait for an approval at a time; whoever comes then is told to come again. */
			held: z.int().min(0).max(100_000).default(1_000),
			/** Most of them that are of one key, those of the keys minted from it included. */
			heldPerKey: z.int().min(0).max(100_000).default(100),
			/** Largest answer of an upstream that does not stream. */
			replyMb: z.number().min(0.001).max(1_024).default(64),
		})
		.prefault({}),
	/** Where models are, by the names that deployments (`provider/model`) begin with. */
	providers: z.record(providerName, provider).default({}),
	/** Name a client asks for → deployments, best first; the next is tried when one fails. */
	models: z.record(z.string().min(1).max(200), z.array(deployment).min(1)).default({}),
	/** Prices of your own, by `provider/model`, where `*` may end it: docs/prices.md. */
	prices: z.record(z.string().min(1), price).default({}),
	/** Prices of MCP tools, by `server/tool`, where `*` may end it. */
	toolPrices: z
		.record(
			z.string().regex(/^([a-z][a-z0-9-]{0,31}\/.{1,300}|[a-z0-9-]*\*)$/, "a tool is written server/tool, and '*' may end it"),
			toolPrice,
		)
		.default({}),
	/** MCP servers, served together at `/mcp` and each at `/mcp/<name>`. */
	servers: z.record(serverName, server).default({}),
	/** The doors that MCP clients come to: docs/mcp.md. */
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
					/** Their issuers; a client takes one of them. */
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
