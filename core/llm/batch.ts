import {GatewayError} from '../errors.ts';
import {channelOfDelta, isAnswerDelta} from './channels.ts';
import type {Clearing, Strand} from './clearing.ts';
import type {Delta, Dialect} from './dialects/dialect.ts';
import {eventsAgain} from './events-again.ts';
import {type JsonObject, objectsOf} from './json.ts';
import {dropEchoes, type Label, type Labels, labelsOf, standing} from './labels.ts';
import {heard, joined, type Piece, whenThere} from './pieces.ts';

/** The events of one chunk, in their order, on their way through the guards. */
export type Batch = {
	/** What of these events goes on, now or when every guard has answered. `isOver`: nothing follows them. */
	pass(events: readonly JsonObject[], isOver: boolean): Piece;
	/** What guards should have been shown by now: what goes on of that. */
	flush(): Piece;
};

/** Takes a place among the words of a channel; what is called then puts them there, when guards have answered. */
export type Gather = (channel: string) => (text: string) => void;

type Entry = {readonly json: JsonObject; deltas: readonly Delta[]};
/** A string that grows, and the event that was the last to add to it. */
type Growing = {strand: Strand; last: JsonObject};
/** What the events of one batch add to a string: written into the last of them. */
type Added = {growing: Growing; text: string; delta: Delta};

/** Whoever has more of them is not answering a question. */
const mostPlaces = 10_000;
const tooMany = () => new GatewayError('upstream_malformed', `The answer has more than ${mostPlaces} parts.`);

/** Arguments are JSON; what a tool of another kind is given may be anything. */
const isJson = (channel: string): boolean => /\.(?:arguments|partial_json)$/.test(channel);

/** Some providers say the whole answer so far beside each piece of it: its end is not what guards could hold back. */
const dropSoFar = (json: JsonObject): void => {
	for (const [, choice] of objectsOf(json.choices)) if ('delta' in choice) delete choice.message;
};

export const openBatch = (dialect: Dialect, clearing: Clearing, gather: Gather, again = eventsAgain(dialect)): Batch => {
	const open = new Map<string, Growing>();
	/** Clients would put what follows behind what guards have seen to its end. */
	const closed = new Set<string>();
	/** What stands where something else may not. */
	const stands = new Map<string, string>();

	const growingAt = (channel: string, json: JsonObject): Growing => {
		const known = open.get(channel);
		if (known) {
			known.last = json;
			return known;
		}
		if (closed.has(channel)) throw new GatewayError('upstream_malformed', 'The provider goes on with what it had ended.');
		const carries = {from: channelOfDelta(channel), isAnswer: isAnswerDelta(channel)};
		const strand = isJson(channel) ? clearing.jsonStrand(channel, carries) : clearing.strand(channel, carries);
		const growing = {strand, last: json};
		open.set(channel, growing);
		return growing;
	};

	/** Of an id that is said again in other words, the first; throws where clients would put the two together. */
	const settled = (label: Label): string => {
		const rule = standing(dialect, label);
		if (!rule) return label.text;
		const stood = stands.get(label.path);
		if (stood === undefined) {
			if (stands.set(label.path, label.text).size > mostPlaces) throw tooMany();
		} else if (stood !== label.text && rule === 'same')
			throw new GatewayError('upstream_malformed', 'The provider calls one thing by two names.');
		return stood ?? label.text;
	};

	/** Writes names and ids as the guards left them. */
	const name = (entries: readonly Entry[]): Promise<void> | undefined => {
		const found: {label: Label; text: string}[] = [];
		const read: [Entry, Labels][] = [];
		for (const entry of entries) {
			const labels = labelsOf(entry.json, entry.deltas, again.digits(entry.json));
			read.push([entry, labels]);
			for (const label of labels.found) found.push({label, text: settled(label)});
		}
		const answers = clearing.names(found.map(({text}) => text));
		const write = (names: ReadonlyMap<string, string>): void => {
			for (const {label, text} of found) if (names.get(text) !== label.text) label.set(names.get(text)!);
			for (const [entry, labels] of read) if (labels.writeKeys()) entry.deltas = dialect.deltasOf(entry.json);
		};
		if (!(answers instanceof Map)) return heard(answers.then(write));
		write(answers);
		return undefined;
	};

	const clear = (entries: readonly Entry[], isOver: boolean): Piece => {
		const pieces: (Piece | JsonObject)[] = [];
		const waits: Promise<void>[] = [];
		const added = new Map<string, Added>();

		const write = (delta: Delta, out: Piece): void => {
			const put = gather(delta.channel);
			const set = (text: string): void => {
				put(text);
				delta.set(text);
			};
			if (typeof out === 'string') set(out);
			else waits.push(heard(out.then(set)));
		};

		/** Ends a string: its rest goes into what this batch has added to it, or out before the event that ends it. */
		const end = (channel: string, {strand, last}: Growing): void => {
			open.delete(channel);
			if (closed.add(channel).size > mostPlaces) throw tooMany();
			const own = added.get(channel);
			added.delete(channel);
			const rest = strand.finish(own?.text ?? '');
			if (own) write(own.delta, rest);
			else pieces.push(eventOf(channel, rest, last));
		};

		const endAll = (prefixes: readonly string[], except: ReadonlySet<string>): void => {
			for (const [channel, growing] of open)
				if (!except.has(channel) && prefixes.some(prefix => channel.startsWith(prefix))) end(channel, growing);
		};

		for (const {json, deltas} of entries) {
			const prefixes = dialect.endsChannels(json);
			if (prefixes.length > 0) endAll(prefixes, new Set(deltas.map(({channel}) => channel)));
			for (const delta of deltas) {
				const {channel, text} = delta;
				if (delta.whole) {
					write(delta, clearing.whole(text, {from: channelOfDelta(channel), isAnswer: isAnswerDelta(channel)}));
					continue;
				}
				const before = added.get(channel);
				before?.delta.set('');
				added.set(channel, {growing: growingAt(channel, json), text: (before?.text ?? '') + text, delta});
			}
			for (const delta of deltas) {
				const growing = open.get(delta.channel);
				if (growing && prefixes.some(prefix => delta.channel.startsWith(prefix))) end(delta.channel, growing);
			}
			pieces.push(json);
		}
		if (isOver) endAll([''], new Set());
		for (const {growing, text, delta} of added.values()) write(delta, growing.strand.push(text));
		const text = () => joined(pieces.map(piece => (typeof piece === 'object' && !(piece instanceof Promise) ? again.event(piece) : piece)));
		return waits.length === 0 ? text() : heard(Promise.all(waits).then(text));
	};

	const eventOf = (channel: string, out: Piece, last: JsonObject): Piece => {
		const put = gather(channel);
		return whenThere(out, text => {
			put(text);
			return text === '' ? '' : dialect.deltaEvent(channel, text, last);
		});
	};

	return {
		pass(events, isOver) {
			const entries = events.map((json): Entry => {
				dropEchoes(json);
				dropSoFar(json);
				return {json, deltas: dialect.deltasOf(json)};
			});
			const naming = name(entries);
			return naming ? heard(naming.then(() => clear(entries, isOver))) : clear(entries, isOver);
		},
		flush: () => joined(clearing.flush().map(({channel, out}) => eventOf(channel, out, open.get(channel)?.last ?? {}))),
	};
};
