import type {Parts, Usage} from '../../../schemas/usage.ts';
import type {GatewayError} from '../../errors.ts';
import type {JsonObject} from '../json.ts';
import type {Sure} from '../usage-figures.ts';

/** What of a request the gateway itself relies on, checked. */
export type RequestFacts = {
	model: string;
	stream: boolean;
	/** Of all answers together; missing when the request names no maximum, 0 when the operation has no output. */
	maxOutputTokens?: number;
	/** What `maxOutputTokens` counts for one answer is to be multiplied by this where the request names none. */
	answers: number;
	/** Tokens that can be billed as output beyond the maximum, and input that the body's bytes do not bound. */
	extraOutputTokens: number;
	extraInputTokens: number;
	/** Bytes of the body that stand for pictures, which `extraInputTokens` allows for. */
	mediaBytes: number;
	/** `messages`, or the `input` of embeddings. */
	messages: unknown;
	tools?: unknown;
	/** The provider may run tools of its own, and answer with what they brought in. */
	runsTools?: boolean;
	/** All other top-level fields that are strings, numbers or booleans. */
	params: Record<string, string | number | boolean>;
	/** The provider answers without charge. */
	free: boolean;
	/** Asks for cache entries of an hour, which cost more to write. */
	longCacheWrites: boolean;
	/** Tiers, speeds and regions it asks for by name, when they are not the standard ones. */
	tiers: readonly string[];
	/** The most of what is charged by the piece that it lets the provider use. */
	counts: Readonly<Record<string, number>>;
	/** Hears or speaks: tokens of sound have prices of their own. */
	sounds: boolean;
};

/** Which request a dialect reads; each has its own required fields. */
export type DialectOperation = 'chat' | 'embeddings' | 'messages' | 'count_tokens' | 'moderations';

/** A tool call that a model asks for, where it stands in the reply. */
export type ToolCall = {
	id: string;
	name: string;
	/** JSON of an object, as plugins read it, unless the model made a mistake. */
	argumentsText: string;
	/** The answer was broken off, maybe in the middle of this. */
	cut?: boolean;
	path: readonly (string | number)[];
};

/** A tool call that is taken out of its reply, and what the reply says instead. */
export type DeniedCall = {call: ToolCall; words: string};

/** One string of a streaming event. */
export type Delta = {
	/** The same for every event of the stream that adds to the same string: `0.content`, `0.tool_calls.1.function.arguments`. */
	channel: string;
	text: string;
	/** Complete in itself: to be cleared in one piece and put back by `set`, never through `deltaEvent`. */
	whole: boolean;
	/** Where it stands: the object or list, and the key or index in it. */
	holder: object;
	place: string | number;
	/** Writes into the event the text was read from. */
	set(text: string): void;
};

/** Gathers usage from the events of one stream. */
export type StreamUsage = {
	see(event: JsonObject): void;
	/** What the provider reported for the whole answer, or undefined when it has not, or not in sane figures. */
	usage(): Usage | undefined;
	/** The input it has reported, in parts, even if the stream broke off before the output was counted. */
	input(): Parts | undefined;
	/** The totals it has reported so far, each by itself: what is billed in any case. */
	sure(): Sure;
};

/** An answer the gateway gives in the model's place. */
export type OwnReply = {
	text: string;
	model: string;
	exchangeId: string;
	/** Milliseconds since 1970. */
	at: number;
	/** Missing in a stream: no usage event. */
	usage?: Usage;
};

export type ListedModel = {id: string /** Milliseconds since 1970. */; createdAt?: number; ownedBy?: string};

/** One wire format. Every function is pure but for the writes it names. */
export type Dialect = {
	readonly name: 'openai' | 'anthropic';
	/** The body of an error reply, in the shape that the official SDK raises as its typed exception. */
	errorBody(error: GatewayError, exchangeId: string): JsonObject;
	/** A server-sent event that makes the official SDK raise an error in the middle of a stream. */
	errorEvent(error: GatewayError, exchangeId: string): string;
	/** Undefined when the reply reports no usage, or figures that cannot be true. */
	usageOf(reply: JsonObject): Usage | undefined;
	/** The totals of a reply, each by itself, where they make no sense together; 0 where there is none that can be true. */
	sureOf(reply: JsonObject): Sure;
	streamUsage(): StreamUsage;
	/** Throws `invalid_request` with `param` when a field the gateway relies on has a wrong type, or the case of its name is wrong. */
	requestFacts(operation: DialectOperation, json: JsonObject): RequestFacts;
	toolCallsOf(reply: JsonObject): ToolCall[];
	/** Writes other arguments into the reply; undefined for none. */
	patchToolCall(reply: JsonObject, call: ToolCall, newArguments: JsonObject | undefined): void;
	/** Takes calls out of the reply, which goes on, and puts the words of each in their place; without any call left it ends as answers do. */
	replaceToolCalls(reply: JsonObject, denied: readonly DeniedCall[]): void;
	/** The strings of a streaming event that the client adds up or reads; takes `logprobs` out of it, which repeat them. */
	deltasOf(event: JsonObject): Delta[];
	/** Channels whose names begin with one of these must have nothing held back before this event goes out; `''` means all. */
	endsChannels(event: JsonObject): string[];
	/** An event that carries `text` on `channel`, modelled on `last`, the last event seen of that channel. */
	deltaEvent(channel: string, text: string, last: JsonObject): string;
	/** A whole event as it travels. */
	event(json: JsonObject): string;
	textReply(reply: OwnReply): JsonObject;
	/** The same as server-sent events, one string each, the last of which ends the stream. */
	textStream(reply: OwnReply): string[];
	modelsReply(models: readonly ListedModel[]): JsonObject;
};
