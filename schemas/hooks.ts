import * as z from 'zod';
import {principal} from './principal.ts';
import {record} from './record.ts';
import {usage} from './usage.ts';
import * as v from './verdict.ts';

/**
 * How a declared field crosses the wall: `plain` as a string, number or boolean; `json` serialised once per exchange;
 * `text` as one string with the lengths of its parts.
 */
export type Crossing = 'plain' | 'json' | 'text';

const principalReads = {
	'principal.*': 'json',
	'principal.id': 'plain',
	'principal.tenant': 'plain',
	'principal.team': 'plain',
	'principal.user': 'plain',
	'principal.key': 'plain',
	'principal.tags': 'json',
	'principal.accounts': 'json',
	'principal.scopes': 'json',
} as const;

const saidReads = {taints: 'json', findings: 'json'} as const;

/** What guards have said of the exchange so far: those that come first in the list, at this hook too. */
const said = {
	/** The names of what this exchange, or its session, is tainted with by now, in their order. */
	taints: z.array(z.string()),
	/** What the guards before have found in this exchange, each kind once; never what it was, nor where. */
	findings: z.array(v.foundBefore),
};

const toolCall = z.strictObject({
	/** The MCP server; missing for a call that a model asks for. */
	server: z.string().optional(),
	/** Its own name at its server, or the one that the model was told. */
	name: z.string(),
	/** What it is called with, as it is by now. */
	arguments: z.record(z.string(), z.json()),
	/** SHA-256 of `arguments`, in hex. */
	argumentsDigest: z.string(),
	/** What the server says of the tool; over MCP alone. */
	definition: z.json().optional(),
	/** SHA-256 of `definition`, in hex. */
	definitionDigest: z.string().optional(),
	/** What the server says that the tool does: `readOnlyHint` and the like. Its word, and no proof. */
	annotations: z.json().optional(),
});

/** What MCP clients ask for; of what they notify, `notifications` stands for all. `stream` and `end` are those of a session, `batch` the frame of several. */
export const mcpOperations = [
	...['initialize', 'server/discover', 'ping', 'notifications', 'logging/setLevel', 'completion/complete', 'stream', 'end', 'batch'],
	...['tools/list', 'tools/call', 'resources/list', 'resources/templates/list', 'resources/read', 'prompts/list', 'prompts/get'],
	...['resources/subscribe', 'resources/unsubscribe', 'subscriptions/listen'],
	// What servers ask of their callers, each an exchange of its own.
	...['elicitation/create', 'sampling/createMessage', 'roots/list'],
] as const;

/** Every operation of the model surface, where `models` is the list of models and `moderations` is for plugins to ask, and of the MCP surface. */
export const operation = z.enum(['chat', 'embeddings', 'messages', 'count_tokens', 'moderations', 'models', ...mcpOperations]);
export type Operation = z.output<typeof operation>;

/**
 * The five hooks. `reads` is the whole list of what a manifest may ask for; `input` is all of it together, and a
 * handler gets only the fields its manifest declares. `<name>` stands for a name of the plugin's choice.
 */
export const hooks = {
	/** Who is asking? The first plugin that identifies a principal ends the search; none, and the answer is 401. */
	'pre-auth': {
		kind: 'first',
		runs: 'down',
		reads: {
			method: 'plain',
			path: 'plain',
			ip: 'plain',
			surface: 'plain',
			resource: 'plain',
			'headers.<name>': 'plain',
			'credential.scheme': 'plain',
			'credential.sha256': 'plain',
			'credential.token': 'plain',
		},
		input: z.strictObject({
			/** The HTTP method. */
			method: z.string(),
			/** The path of the request, without its query. */
			path: z.string(),
			/** The client's address; behind a proxy that one's, unless the config says `proxy: 'trust'`. */
			ip: z.string(),
			/** `openai`, `anthropic`, `mcp` or `gateway`. */
			surface: z.string(),
			/** At an MCP door its address (RFC 8707), as a token for it names its audience: `https://gateway.acme.example/mcp/files`. */
			resource: z.string().optional(),
			/** By lower-case name; never one that holds a credential. */
			headers: z.record(z.string(), z.string().optional()),
			/** What the client came with: `authorization`, `x-api-key` or `x-goog-api-key`. */
			credential: z.strictObject({
				/** In lower case: `bearer`, `basic` …, or the header's name. */
				scheme: z.string().optional(),
				/** SHA-256 of the token, in hex: enough to look it up. */
				sha256: z.string().optional(),
				/** The token itself. */
				token: z.string().optional(),
			}),
		}),
		answer: z.discriminatedUnion('verdict', [v.identify, v.deny, v.allow]),
	},

	/** May this request go on, changed or not? Each plugin sees what the one before left; a deny, a hold or a response ends it. Who changed the model and reads `estimate.*` is asked again. */
	'pre-request': {
		kind: 'waterfall',
		runs: 'down',
		reads: {
			...principalReads,
			operation: 'plain',
			server: 'plain',
			model: 'plain',
			'params.*': 'json',
			'params.<name>': 'json',
			'text[]': 'text',
			'channels[]': 'json',
			messages: 'json',
			tools: 'json',
			tags: 'json',
			deployments: 'json',
			'estimate.inputTokens': 'plain',
			'estimate.maxOutputTokens': 'plain',
			'estimate.maxCostMicroUsd': 'plain',
			'headers.<name>': 'plain',
			session: 'plain',
			requestDigest: 'plain',
			...saidReads,
			lostClaim: 'plain',
			asking: 'plain',
		},
		input: z.strictObject({
			principal,
			/** What is asked for: see the list at the end. */
			operation,
			/** The MCP server that is asked; missing for a model, and for a list of all servers. */
			server: z.string().optional(),
			/** As the client names it, or as a plugin has changed it; empty over MCP. */
			model: z.string(),
			/** The body's plain fields (text, numbers, true and false) beside model, messages and tools; over MCP the params. `params.<name>` is any field of the body. */
			params: z.record(z.string(), z.json()),
			/** All words of the request: of system prompts, messages, tools and their results; over MCP those of the params. */
			text: z.array(z.string()),
			/** Where each of `text` came from; while a reply streams, the one of `window`. */
			channels: z.array(v.channel),
			/** The conversation, as the client wrote it; `[]` over MCP. */
			messages: z.json(),
			/** The tools that the request offers the model, as the client wrote them. */
			tools: z.json().optional(),
			/** Its principal's, those that a trusted client names, and those that plugins have given it by now. */
			tags: z.array(z.string()),
			/** `provider/model`, best first: who will be asked, unless a verdict changes it. */
			deployments: z.array(z.string()),
			/** What the call can come to at most; 0 over MCP. */
			estimate: z.strictObject({
				/** Counted from the request, before it is sent. */
				inputTokens: z.int(),
				/** The most output it may have, of all answers it asks for together. */
				maxOutputTokens: z.int(),
				/** Missing when no price is known. */
				maxCostMicroUsd: z.int().optional(),
			}),
			/** By lower-case name; never one that holds a credential. */
			headers: z.record(z.string(), z.string().optional()),
			/** What the client calls the run that this is part of: the header `x-sallyport-session`. */
			session: z.string().optional(),
			/** SHA-256 of the body as it would be sent now; missing over MCP. */
			requestDigest: z.string().optional(),
			...said,
			/** The claim of this plugin's last answer, which somebody else has had. */
			lostClaim: z.string().optional(),
			/** With the capability `models`: what a question names this call of the hook by, until it has answered. */
			asking: z.string().optional(),
		}),
		answer: z.discriminatedUnion('verdict', [v.allow, v.deny, v.rewriteRequest, v.respond, v.route, v.hold]),
	},

	/** May this tool call be made? Asked for a call over MCP and for one a model asks for in its answer. */
	'on-tool-call': {
		kind: 'waterfall',
		runs: 'down',
		reads: {
			...principalReads,
			'tool.server': 'plain',
			'tool.name': 'plain',
			'tool.arguments': 'json',
			'tool.argumentsDigest': 'plain',
			'tool.definition': 'json',
			'tool.definitionDigest': 'plain',
			'tool.annotations': 'json',
			'estimate.maxCostMicroUsd': 'plain',
			tags: 'json',
			source: 'plain',
			...saidReads,
			carried: 'plain',
			lostClaim: 'plain',
			continues: 'plain',
			asking: 'plain',
		},
		input: z.strictObject({
			principal,
			tool: toolCall,
			/** What the call itself can cost, by `toolPrices`: 0 for one that a model asks for, missing when no price is known. */
			estimate: z.strictObject({maxCostMicroUsd: z.int().optional()}),
			/** Its principal's, those that a trusted client names, and those that plugins have given it by now. */
			tags: z.array(z.string()),
			/** `mcp`: the gateway is to make the call. `model`: the client is, when it has the answer. */
			source: z.enum(['mcp', 'model']),
			...said,
			/** What this plugin's last `carry` of this exchange was. */
			carried: z.string().optional(),
			/** The claim of this plugin's last answer, which somebody else has had. */
			lostClaim: z.string().optional(),
			/** `<claim>/<round>`: it goes on with a call that was let pass with this claim, since its server asked for something in between. */
			continues: z.string().optional(),
			/** With the capability `models`: what a question names this call of the hook by, until it has answered. */
			asking: z.string().optional(),
		}),
		answer: z.discriminatedUnion('verdict', [v.allow, v.deny, v.rewriteArguments, v.respondResult, v.hold]),
	},

	/** What may the client see, and what did it cost? Runs for every outcome; a reply that streams comes in windows if asked for. */
	'post-response': {
		kind: 'waterfall',
		runs: 'up',
		reads: {
			...principalReads,
			operation: 'plain',
			outcome: 'plain',
			status: 'plain',
			'text[]': 'text',
			'channels[]': 'json',
			answers: 'json',
			window: 'json',
			usage: 'json',
			costMicroUsd: 'plain',
			attempts: 'json',
			tools: 'json',
			result: 'json',
			latency: 'json',
			...saidReads,
			carried: 'plain',
			asking: 'plain',
		},
		input: z.strictObject({
			principal: principal.optional(),
			/** What is asked for: see the list at the end. */
			operation,
			/** `aborted`: the client left. `denied`: a rule refused it. */
			outcome: z.enum(['ok', 'failed', 'aborted', 'denied']),
			/** The HTTP status that the client gets. */
			status: z.int(),
			/** All words of the answer; over MCP those of the result, or of the list. */
			text: z.array(z.string()),
			/** Where each of `text` came from; while a reply streams, the one of `window`. */
			channels: z.array(v.channel),
			/** Which of `text` a model says to whoever asked, by index: no thoughts, ids or names of fields. While a reply streams, `[0]` where `window` is such. */
			answers: z.array(z.int().min(0)),
			/**
			 * Present only while a reply streams: characters of one channel not yet cleared; `final` closes the channel. Of the arguments of a tool,
			 * each string is a channel of its own, and `name` the field that it is the value of.
			 */
			window: z.strictObject({channel: z.int(), text: z.string(), final: z.boolean(), name: z.string().optional()}).optional(),
			/** What was used; missing where nothing was, and before the end. */
			usage: usage.optional(),
			/** What it cost; missing when no price is known, and before the end. */
			costMicroUsd: z.int().optional(),
			/** The deployments that were tried, in their order, and how that went. */
			attempts: z.array(z.json()),
			/** `{id, name}` of each call that a model asks for, in an answer that does not stream. */
			tools: z.json().optional(),
			/** A list that a plugin may narrow: `{models}`, `{tools}`, `{prompts}`, `{resources}`, `{resourceTemplates}`. Of any other MCP request `{server, result}`, where `result` may be replaced; with `instructionsDigest` where a server says how it wants to be used. */
			result: z.json().optional(),
			/** How long it has taken so far, and how much of it was waiting for an upstream. */
			latency: z.strictObject({totalMs: z.number(), upstreamMs: z.number().optional()}),
			...said,
			/** What this plugin's last `carry` of this exchange was. */
			carried: z.string().optional(),
			/** With the capability `models`: what a question names this call of the hook by, until it has answered. */
			asking: z.string().optional(),
		}),
		answer: z.discriminatedUnion('verdict', [v.allowReply, v.deny, v.rewriteReply]),
	},

	/** What happened? All at once, just before the record is written; answers cannot change what the client gets. */
	'on-audit': {
		kind: 'observe',
		runs: 'all at once',
		reads: {'record.*': 'json', 'record.<name>': 'json'},
		input: z.strictObject({
			/** The record as it is about to be written: the fields of `schemas/record.ts`. */
			record: record.partial(),
		}),
		answer: z.discriminatedUnion('verdict', [v.allow, v.redact]),
	},
} as const;

export type HookName = keyof typeof hooks;
export type HookInput<Name extends HookName> = z.output<(typeof hooks)[Name]['input']>;
export type HookAnswer<Name extends HookName> = z.output<(typeof hooks)[Name]['answer']>;
/** What a handler may return: the same, before defaults are filled in; nothing means allow. */
export type HandlerAnswer<Name extends HookName> = z.input<(typeof hooks)[Name]['answer']> | undefined | void;

export const hookNames = Object.keys(hooks) as HookName[];

/** How `path` crosses at `hook`, or undefined when no plugin may read it. */
export const crossingOf = (hook: HookName, path: string): Crossing | undefined => {
	const reads: Readonly<Record<string, Crossing>> = hooks[hook].reads;
	const dot = path.indexOf('.');
	return reads[path] ?? (dot > 0 && /^[\w-]+$/.test(path.slice(dot + 1)) ? reads[`${path.slice(0, dot)}.<name>`] : undefined);
};
