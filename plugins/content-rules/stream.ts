import type {Channel, Finding} from '../../plugin-sdk/index.ts';
import {findingOf, findingOfAnswer, findingOfLanguage, written} from './changes.ts';
import {counted, scanAll, type Until} from './hits.ts';
import {isWhole, type JsonPlace, jsonStart, readOn} from './json-text.ts';
import {endOf, placeOf, type Reading, readJson, readPlain} from './reading.ts';
import type {AnswerRules, Settings} from './settings.ts';
import {type Spoken, silence} from './spoken.ts';
import {placeFor} from './whole.ts';

/** What has to be known of a channel of a stream before its next piece; as secret as the text itself. */
export type Flow = {
	/** The end of what is cleared, as it was read. */
	readonly before: string;
	/** What goes on, and is taken away up to its end. */
	readonly inside?: {readonly rule: number; readonly until: Until};
	/** What language it is of, as far as that is known. */
	readonly spoken: Spoken;
	/** How many characters are cleared. */
	readonly chars: number;
	readonly json: JsonPlace;
	/** What has been said about the answer already. */
	readonly said: readonly string[];
	/** All of the answer so far, where a schema asks for it. */
	readonly kept: string;
};

export const flowStart: Flow = {before: '', spoken: silence, chars: 0, json: jsonStart, said: [], kept: ''};

/** What becomes of a piece. */
export type Passed = {clear: number; out: string; findings: Finding[]; flow: Flow};

const lookBehind = 520;
/** An escape of JSON is up to six characters long, and the gateway holds 4,096 back. */
const mostOpen = 2_000;
const mostOpenJson = 650;
/** Longer answers are not kept to be held against a schema; they do not fit. */
const mostKept = 200_000;

const ends: Readonly<Record<Until, RegExp>> = {address: /[\s<>"`)]/, tag: /[>\u2028]/};

/** Where in a reading that goes on ends; its length, where it does not. */
const endOfInside = (text: string, from: number, until: Until): number => {
	const at = text.slice(from).search(ends[until]);
	return at < 0 ? text.length : from + at;
};

/** How much of a text may go on before a value of JSON is whole: its last character waits until the value has been looked at. */
const beforeWhole = (from: JsonPlace, text: string): number => {
	let place: JsonPlace | undefined = from;
	for (let at = 0; at < text.length && place; at++) {
		place = readOn(place, text[at]!);
		if (place && isWhole(place)) return at;
	}
	return text.length;
};

type Said = {detector: 'length' | 'json' | 'schema'; action: 'flag' | 'strip' | 'deny'};

/** What is wrong with an answer of which `added` is cleared now. */
const judged = (flow: Flow, added: string, final: boolean, rules: AnswerRules): {flow: Flow; said: Said[]} => {
	const said: Said[] = [];
	const chars = flow.chars + added.length;
	if (rules.maxChars !== undefined && chars > rules.maxChars) said.push({detector: 'length', action: rules.tooLong});
	const isBroken = flow.said.includes('json');
	const json = rules.json && !isBroken ? readOn(flow.json, added) : flow.json;
	const kept = rules.check ? flow.kept + added : '';
	if (rules.json && !isBroken) {
		if (json === undefined || (final && !isWhole(json))) said.push({detector: 'json', action: rules.notJson});
		else if (rules.check && (kept.length > mostKept || (final && !rules.check(JSON.parse(kept)))))
			said.push({detector: 'schema', action: rules.notJson});
	}
	const fresh = said.filter(({detector}) => !flow.said.includes(detector));
	return {
		flow: {
			...flow,
			chars,
			json: json ?? flow.json,
			kept: kept.length > mostKept ? '' : kept,
			said: [...flow.said, ...fresh.map(({detector}) => detector)],
		},
		said: fresh,
	};
};

const cutOff = (text: string, room: number): string => (room <= 0 ? '' : text.slice(0, room).replace(/[\ud800-\udbff]$/, ''));

/** The next piece of a stream: how much of it is decided, what goes out for that, and what was found in it. `said`: it is the model's answer. */
export const passOn = (raw: string, final: boolean, channel: Channel, from: Flow, settings: Settings, said: boolean): Passed => {
	const place = placeFor(channel, false);
	const {rules} = settings;
	const answers = said ? settings.answers : undefined;
	const inJson = answers?.json === true;
	const reading: Reading = inJson ? readJson(raw, final) : readPlain(raw);
	const text = from.before + reading.text;
	const base = from.before.length;
	const rawAt = (index: number): number => (index >= text.length ? reading.end : placeOf(reading, index - base));
	const rawEnd = (index: number): number => endOf(reading, index - base);

	const resumed = from.inside ? endOfInside(text, base, from.inside.until) : base;
	const stillInside = from.inside !== undefined && resumed === text.length && !final;
	const scanned = stillInside
		? {found: [], open: text.length, inside: from.inside}
		: scanAll(settings.scannersFor(place, channel), text, resumed, final, inJson ? mostOpenJson : mostOpen);
	let clear = final ? raw.length : rawAt(scanned.open);
	if (answers?.check && !final) clear = Math.min(clear, beforeWhole(from.json, raw.slice(0, clear)));
	const met = counted(scanned.found).map(hit => {
		return {...hit, start: rawAt(hit.start), end: rawEnd(hit.end)};
	});
	for (const {start, end} of met.toReversed()) if (start < clear && end > clear) clear = start;
	const hits = met.filter(({end}) => end <= clear);
	const gone = from.inside && ['mask', 'strip'].includes(rules[from.inside.rule]!.action) ? rawAt(resumed) : 0;
	let out = written(raw, Math.min(gone, clear), clear, hits, rules);
	const findings = hits.map(hit => findingOf(hit, hit, rules, channel));

	const language = settings.languageFor(place, channel);
	const heard = language?.listen(from.spoken, raw.slice(0, clear), final);
	if (language && heard?.foreign) findings.push(findingOfLanguage(heard.foreign, language, rules, channel));
	else if (language && heard && !final && !heard.spoken.isJudged && from.spoken.tail === '' && clear < language.mostHeld)
		return {clear: 0, out: '', findings: [], flow: from};

	const ended = base + reading.text.length;
	const cutAt = clear >= reading.end ? ended : base + (reading.places ? reading.places.findIndex(each => each >= clear) : clear);
	const {inside: _, ...rest} = from;
	let flow: Flow = {
		...rest,
		spoken: heard?.spoken ?? from.spoken,
		before: text.slice(Math.max(0, cutAt - lookBehind), cutAt),
		...(scanned.inside && {inside: scanned.inside}),
	};
	if (answers) {
		const room = (answers.maxChars ?? 0) - from.chars;
		const {flow: next, said: wrong} = judged(flow, raw.slice(0, clear), final, answers);
		flow = next;
		findings.push(...wrong.map(({detector, action}) => findingOfAnswer(detector, action)));
		if (answers.maxChars !== undefined && answers.tooLong === 'strip') out = cutOff(out, room);
	}
	return {clear, out, findings, flow};
};
