import {randomUUID} from 'node:crypto';
import type {IncomingHttpHeaders} from 'node:http';
import type {Behaviour} from './behaviour.ts';
import {parsed} from './json.ts';
import {sampleOf} from './sample.ts';

export type Tool = {name: string; schema: unknown};

/** What a client asks, whichever dialect it asks in. */
export type Question = {
	model: string;
	stream: boolean;
	choices: number;
	asksForUsage: boolean;
	/** How long everything is that a model would have to read. */
	inputChars: number;
	lastText: string;
	/** What a tool said, when that is what the model has to answer. */
	toolResult: string | undefined;
	tools: Tool[];
	toolChoice: 'auto' | 'none' | 'any' | Tool['name'][];
	parallelCalls: boolean;
	maxTokens: number;
};

export type Call = {id: string; name: string; arguments: string; fragments: string[]};
export type Usage = {input: number; cached: number; cacheWritten: number; output: number};

export type Answer = {
	/** Text deltas; without end for the endless behaviour. */
	pieces: Iterable<string>;
	calls: Call[];
	finish: 'stop' | 'length' | 'calls';
	usage: Usage | undefined;
};

const charsPerToken = 4;

/** Tokens as this provider counts them. */
export const tokensIn = (chars: number): number => Math.ceil(chars / charsPerToken);

/** What a question counts as, and how much of that was read from or written to a cache. */
export const inputUsage = (chars: number, cached: boolean): Omit<Usage, 'output'> => {
	const input = Math.max(1, tokensIn(chars));
	if (!cached) return {input, cached: 0, cacheWritten: 0};
	const read = Math.max(1, Math.floor(input / 2));
	return {input, cached: read, cacheWritten: Math.min(input - read, Math.floor(input / 4))};
};

function* endlessWords(): Generator<string> {
	for (let count = 1; ; count++) yield `word${count} `;
}

const spoken = ({speech}: Behaviour, question: Question, headers: IncomingHttpHeaders): string => {
	switch (speech.kind) {
		case 'words':
			return Array.from({length: speech.count}, (_, index) => `word${index + 1}`).join(' ');
		case 'say':
			return speech.text;
		case 'headers':
			return JSON.stringify(headers);
		default:
			return question.toolResult === undefined ? `You said: ${question.lastText}` : `The tool answered: ${question.toolResult}`;
	}
};

const pieces = (text: string, cut: Behaviour['cut']): string[] => {
	if (cut === 'word') return text.match(/\S+\s*|\s+/g) ?? [];
	const characters = Array.from(text);
	return Array.from({length: Math.ceil(characters.length / cut)}, (_, index) => characters.slice(index * cut, (index + 1) * cut).join(''));
};

/** The object that `text` continues with after "with ", as it was written. */
const givenArguments = (text: string): string | undefined => {
	if (!text.startsWith(' with {')) return undefined;
	const from = ' with '.length;
	for (let end = text.indexOf('}'); end !== -1; end = text.indexOf('}', end + 1)) {
		const given = text.slice(from, end + 1);
		if (parsed(given) !== undefined) return given;
	}
	return undefined;
};

const call = (name: string, given: string): Call => {
	const length = Math.max(1, Math.min(8, Math.ceil(given.length / 3)));
	return {id: randomUUID().replaceAll('-', '').slice(0, 24), name, arguments: given, fragments: pieces(given, length)};
};

const calls = (question: Question, behaviour: Behaviour): Call[] => {
	if (question.toolResult !== undefined) return [];
	if (behaviour.calls) return [call(behaviour.calls, givenArguments(` with ${question.lastText}`) ?? '{}')];
	if (question.toolChoice === 'none') return [];

	const offered = (name: string | undefined) => question.tools.find(tool => tool.name === name);
	const made = (tool: Tool | undefined, given?: string) => (tool ? [call(tool.name, given ?? JSON.stringify(sampleOf(tool.schema)))] : []);
	if (Array.isArray(question.toolChoice)) return question.toolChoice.flatMap(name => made(offered(name)));

	const asked = [...question.lastText.matchAll(/call the tool ([\w./-]*\w)/gi)].flatMap(found =>
		made(offered(found[1]), givenArguments(question.lastText.slice(found.index + found[0].length))),
	);
	const wanted = asked.length === 0 && question.toolChoice === 'any' ? made(question.tools[0]) : asked;
	return question.parallelCalls ? wanted : wanted.slice(0, 1);
};

/** The answer to a question: the same for the same question, apart from ids. */
export const answerTo = (question: Question, behaviour: Behaviour, headers: IncomingHttpHeaders): Answer => {
	const input = inputUsage(question.inputChars, behaviour.cached);
	const usage = (outputChars: number): Usage | undefined =>
		behaviour.reportsUsage ? {...input, output: tokensIn(outputChars) * question.choices} : undefined;

	const made = calls(question, behaviour);
	if (made.length > 0) {
		const chars = made.reduce((sum, each) => sum + each.name.length + each.arguments.length, 0);
		return {pieces: [], calls: made, finish: 'calls', usage: usage(chars)};
	}
	if (behaviour.speech.kind === 'endless') return {pieces: endlessWords(), calls: [], finish: 'stop', usage: usage(0)};

	const whole = spoken(behaviour, question, headers);
	const most = question.maxTokens * charsPerToken;
	const text = whole.length > most ? whole.slice(0, most).replace(/[\uD800-\uDBFF]$/, '') : whole;
	return {pieces: pieces(text, behaviour.cut), calls: [], finish: text === whole ? 'stop' : 'length', usage: usage(text.length)};
};
