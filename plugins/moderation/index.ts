import {allow, definePlugin, type Host} from '../../plugin-sdk/index.ts';
import {type Heard, openOpinions} from '../opinions/ask.ts';
import {moderationShape} from '../opinions/moderation.ts';
import {type Channel, type Piece, piecesOf} from '../opinions/pieces.ts';
import {verdictOn} from '../opinions/rules.ts';
import {type Config, config, policyOf} from './settings.ts';
import {gather, type Memory, readMemory, taken} from './stream.ts';

type Window = {channel: number; text: string; final: boolean};
type Asker = {host: Host<Config>; tenant: string | undefined};

/** Less than that is waited for, unless the answer ends. */
const leastChars = 400;
/** Shown again with what comes next, so that what stands across a seam is judged whole. */
const overlap = 200;

const opinionsOn = openOpinions();

const heardOf = (pieces: readonly Piece[], {host, tenant}: Asker): Promise<Heard[]> =>
	opinionsOn(pieces, moderationShape, tenant, host.config, host);

const whole = async (texts: readonly string[], channels: readonly Channel[], way: 'request' | 'response', asker: Asker) => {
	const {config: settings} = asker.host;
	const usual = way === 'request' ? 'user' : 'assistant';
	const wanted = (index: number): Channel | undefined => {
		const channel = channels[index] ?? usual;
		return settings.channels.includes(channel) ? channel : undefined;
	};
	const pieces = piecesOf(texts, wanted, settings.chars);
	return pieces.length === 0 ? undefined : verdictOn(await heardOf(pieces, asker), 'moderation', policyOf(settings, way));
};

/** What lets `clear` characters go on, unless what was heard is against it. */
const cleared = (heard: readonly Heard[], clear: number, memory: Memory, {host}: Asker) => {
	const verdict = verdictOn(heard, 'moderation', policyOf(host.config, 'response'));
	const effects = {clear, carry: JSON.stringify(memory)};
	if (verdict?.verdict === 'deny') return verdict;
	return verdict ? {...verdict, ...effects} : allow(effects);
};

const unheard = (channel: Channel): Heard => ({piece: {channel, text: ''}, failure: 'too-long'});

/** All of it, when it ends: what has gone on by then cannot be taken back, and what comes to an end in an error is known to be refused. */
const atEnd = async ({channel, text, final}: Window, from: Channel, memory: Memory, asker: Asker) => {
	const {questions, chars} = asker.host.config;
	gather(memory, channel, text, questions * chars);
	if (!final) return cleared([], text.length, memory, asker);
	const pieces = piecesOf([taken(memory, channel)], () => from, chars).map(({span: _, ...piece}) => piece);
	const heard = await heardOf(pieces, asker);
	return cleared(memory.isOver ? [...heard, unheard(from)] : heard, text.length, memory, asker);
};

/** Nothing goes on that was not judged. */
const before = async ({text, final}: Window, from: Channel, memory: Memory, asker: Asker) => {
	if (!final && text.length < leastChars) return allow({clear: 0, carry: JSON.stringify(memory)});
	const clear = final ? text.length : text.length - overlap;
	if (text.trim() === '') return cleared([], clear, memory, asker);
	const isOver = memory.asked >= asker.host.config.questionsPerStream;
	if (isOver) return cleared([unheard(from)], text.length, memory, asker);
	memory.asked++;
	const pieces = [{channel: from, text, span: {text: 0, start: 0, end: text.length}}];
	return cleared(await heardOf(pieces, asker), clear, memory, asker);
};

export default definePlugin({
	config,

	hooks: {
		/** Has the texts of a request moderated, and does what the rules say about each category. */
		'pre-request': ({text, channels, principal}, host) =>
			host.config.in.includes('request') ? whole(text, channels, 'request', {host, tenant: principal.tenant}) : undefined,

		/** The same for what a model or a tool answers. */
		'post-response'({text, channels, principal, outcome, window, carried}, host) {
			const {in: ways, channels: wanted, streams} = host.config;
			const from = channels?.[0] ?? 'assistant';
			const asker = {host, tenant: principal?.tenant};
			if (!ways.includes('response') || outcome !== 'ok') return window && allow({clear: window.text.length});
			if (!window) return whole(text, channels, 'response', asker);
			if (!wanted.includes(from)) return allow({clear: window.text.length});
			return (streams === 'end' ? atEnd : before)(window, from, readMemory(carried), asker);
		},
	},
});
