export type Speech = {kind: 'echo'} | {kind: 'headers'} | {kind: 'endless'} | {kind: 'words'; count: number} | {kind: 'say'; text: string};

export type Break = {how: 'reset' | 'malformed' | 'stall' | 'error'; afterChunks: number};

/** Everything that a model name can ask of an answer. */
export type Behaviour = {
	speech: Speech;
	/** The length of one text delta. */
	cut: 'word' | number;
	firstByteMs: number;
	/** The time between two events of a stream, unless the request says otherwise. */
	everyMs: number;
	refusal: {status: number; retryAfterSeconds?: number; once: boolean} | undefined;
	breaks: Break | undefined;
	/** A tool that is called whether the request offered it or not. */
	calls: string | undefined;
	reportsUsage: boolean;
	cached: boolean;
	/** Streams are written this many bytes at a time, wherever that cuts an event. */
	packetBytes: number | undefined;
};

type Recipe = [pattern: RegExp, made: (first: string, second: string) => Partial<Behaviour>];

const fiftyWords: Speech = {kind: 'words', count: 50};

const recipes: Recipe[] = [
	[/^words-(\d{1,6})$/, count => ({speech: {kind: 'words', count: Number(count)}})],
	[/^words-(\d{1,6})-every-(\d{1,4})$/, (count, ms) => ({speech: {kind: 'words', count: Number(count)}, everyMs: Number(ms)})],
	[/^say:([\w-]+)$/, text => ({speech: {kind: 'say', text: Buffer.from(text, 'base64url').toString()}})],
	[/^chars$/, () => ({cut: 1})],
	[/^split-([1-9]\d{0,5})$/, length => ({cut: Number(length)})],
	[/^split-([1-9]\d{0,5})-every-(\d{1,4})$/, (length, ms) => ({cut: Number(length), everyMs: Number(ms)})],
	[/^bytes-([1-9]\d{0,5})$/, length => ({packetBytes: Number(length)})],
	[/^fault-slow-(\d{1,5})$/, ms => ({firstByteMs: Number(ms)})],
	[/^fault-([45]\d\d)$/, status => ({refusal: {status: Number(status), once: false}})],
	[
		/^fault-([45]\d\d)-(\d{1,6})$/,
		(status, seconds) => ({refusal: {status: Number(status), retryAfterSeconds: Number(seconds), once: false}}),
	],
	[/^fault-once-([45]\d\d)-(.+)$/, status => ({refusal: {status: Number(status), once: true}})],
	[/^fault-reset$/, () => ({breaks: {how: 'reset', afterChunks: 0}})],
	[/^fault-reset-mid$/, () => ({speech: fiftyWords, breaks: {how: 'reset', afterChunks: 3}})],
	[/^fault-error-mid$/, () => ({speech: fiftyWords, breaks: {how: 'error', afterChunks: 3}})],
	[/^fault-malformed$/, () => ({speech: fiftyWords, breaks: {how: 'malformed', afterChunks: 3}})],
	[/^fault-stall$/, () => ({speech: fiftyWords, breaks: {how: 'stall', afterChunks: 2}})],
	[/^fault-endless$/, () => ({speech: {kind: 'endless'}, everyMs: 20})],
	[/^fault-no-usage$/, () => ({reportsUsage: false})],
	[/^fault-echo-headers$/, () => ({speech: {kind: 'headers'}})],
	[/^fault-calls-([\w.-]+)$/, tool => ({calls: tool})],
];

/** What a model name asks for: an echo unless it says otherwise, undefined for a fault that does not exist. */
export const behaviourOf = (model: string): Behaviour | undefined => {
	const name = model.slice(model.lastIndexOf('/') + 1);
	const bare = name.replace(/-cached$/, '');
	const plain: Behaviour = {
		speech: {kind: 'echo'},
		cut: 'word',
		firstByteMs: 0,
		everyMs: 0,
		refusal: undefined,
		breaks: undefined,
		calls: undefined,
		reportsUsage: true,
		cached: name.includes('cached'),
		packetBytes: undefined,
	};
	for (const [pattern, made] of recipes) {
		const found = pattern.exec(bare);
		if (found) return {...plain, ...made(found[1] ?? '', found[2] ?? '')};
	}
	return bare.startsWith('fault-') ? undefined : plain;
};
