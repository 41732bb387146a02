/** JSON, as it crosses the wall. */
export type Json = string | number | boolean | null | Json[] | {[key: string]: Json};

/** What a host call answers: it never rejects and never hands over a live object. */
export type Answer<T> = {value: T; error?: undefined} | {value?: undefined; error: {code: string; message: string}};

/** The plugin's own namespace. Reads are from memory; writes are durable when the promise resolves. */
export type Kv = {
	get(key: string): Json | undefined;
	/** Entries whose key begins with `prefix`, in key order; `limit` (1,000) at most, from the first key after `after`. */
	list(prefix: string, options?: {after?: string; limit?: number}): {key: string; value: Json}[];
	/** `null` deletes. All or nothing. */
	put(entries: Record<string, Json>): Promise<Answer<true>>;
};

export type HttpRequest = {url: string; method?: string; headers?: Record<string, string>; body?: string; timeoutMs?: number};
export type HttpResponse = {status: number; headers: Record<string, string>; body: string};

/** `operation` is `chat` when it is left out; `body` is as the provider's API wants it, without the model. It cannot stream. */
export type ModelQuestion = {
	model: string;
	operation?: 'chat' | 'messages' | 'embeddings' | 'moderations';
	body: {[key: string]: Json};
	timeoutMs?: number;
};
/** What the provider answered, whether it served or refused. */
export type ModelAnswer = {status: number; body: Json};

/** `yes`; `no`; or `unknown key`: none of the keys fits what the signature says it was made with. */
export type Signed = 'yes' | 'no' | 'unknown key';

/** Everything a plugin may borrow. A capability its manifest does not name, or the config does not grant, throws with the line to add. */
export type Host<Config> = {
	readonly config: Config;
	readonly kv: Kv;
	readonly clock: {/** Milliseconds since 1970. */ now(): number};
	readonly random: {
		/** A number in [0, 1). */
		number(): number;
		/** 122 random bits as a UUID. */
		uuid(): string;
		/** A secret of 256 bits behind `prefix`, and the SHA-256 (hex) to store in its place. */
		secret(prefix: string): {value: string; sha256: string};
	};
	readonly log: {info(message: string, facts?: Record<string, Json>): void; warn(message: string, facts?: Record<string, Json>): void};
	readonly metrics: {
		/** Adds to the counter `sallyport_plugin_<name>`. */
		count(name: string, by?: number): void;
	};
	readonly secrets: {get(name: string): string};
	readonly http: {fetch(request: HttpRequest): Promise<Answer<HttpResponse>>};
	readonly models: {
		/**
		 * Asks a granted model through the gateway itself, in the name of whoever the exchange at hand is of, and at their cost: an exchange of its
		 * own, with a record, that the plugins that count are asked about and no other. Only while a call of pre-request, on-tool-call or
		 * post-response is being answered.
		 */
		ask(question: ModelQuestion): Promise<Answer<ModelAnswer>>;
	};
	readonly crypto: {
		/**
		 * Whether a JWS in compact form was signed with one of `keys` (public JWKs; the header's `kid` picks among them) and one of
		 * `algorithms` (RS, PS and ES with 256, 384 and 512, EdDSA, Ed25519). What the JWS says is for the caller to judge.
		 */
		verify(asked: {jws: string; keys: readonly Json[]; algorithms: readonly string[]}): Promise<Answer<Signed>>;
	};
	readonly ledger: {
		/** What is spent and reserved in an account's current window. */
		balance(account: string, unit: string, window: string, timeZone?: string): {spent: number; reserved: number; resetsAt?: number};
	};
};
