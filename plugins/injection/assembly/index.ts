import {answer, input} from './host.ts';
import {Json, parse, quoted} from './json.ts';
import {Scanner} from './scanner.ts';
import {Sentences} from './sentences.ts';
import {model} from './weights.ts';

const names: Array<string> = ['user', 'tool-result', 'tool-description', 'tool-arguments', 'assistant'];
/** Which of the channels it was trained on stands for each of `names`. */
const trained: Array<i32> = [0, 1, 2, 1, 1];
const unread: f64 = 2;
const mostFindings = 64;
const message = 'This text reads as an attempt to give the model other instructions.';
const removed = '[removed]';

const scanner: Scanner = new Scanner(Int8Array.wrap(changetype<ArrayBuffer>(model)));
const sentences: Sentences = new Sentences();
const thresholds: Array<f64> = [0.9, 0.9, 0.9, unread, unread];
/** By channel, what is done about what is medium, and what is high. */
const mediums: Array<string> = ['', '', '', '', ''];
const highs: Array<string> = ['', '', '', '', ''];
let highFrom: f64 = 0.98;

function inside(object: Json | null, name: string): Json | null {
	return object === null ? null : object.get(name);
}

/** Keeps the config, which the gateway has checked by the schema in manifest.json. */
export function configure(): i32 {
	const config = parse(input());
	const action = config.get('action')!.text;
	const high = config.get('high');
	if (high !== null) highFrom = high.number;
	for (let index = 0; index < names.length; index++) {
		const threshold = inside(config.get('thresholds'), names[index]);
		if (threshold !== null) thresholds[index] = threshold.number;
		const own = inside(config.get('actions'), names[index]);
		const medium = inside(own, 'medium');
		const highest = inside(own, 'high');
		mediums[index] = medium === null ? action : medium.text;
		highs[index] = highest === null ? action : highest.text;
	}
	return 0;
}

export function pre_request(): i32 {
	return judge(parse(input()));
}

export function post_response(): i32 {
	const fields = parse(input());
	const window = fields.get('window');
	return window === null ? judge(fields) : piece(window, fields.get('channels')!);
}

/** Answers the score of {text, channel}, and where what counts most stands, for a test to compare; the gateway never asks. */
export function score(): i32 {
	const given = parse(input());
	const channel = names.indexOf(given.get('channel')!.text);
	const found = scanner.score(given.get('text')!.text, trained[channel]);
	answer(`[${found},${scanner.start},${scanner.end}]`);
	return 0;
}

/** What is found in the texts of one question, and what to do about it. */
class Findings {
	json: string = '';
	count: i32 = 0;
	denied: bool = false;
	/** What of a text was found, with marks in place of it, or null where nothing is taken out. */
	left: string | null = null;

	/** Looks at one text, of which there may be many. */
	look(text: string, channel: i32, index: i32): void {
		this.left = null;
		const found = scanner.score(text, trained[channel]);
		const sure = scanner.probability(found);
		if (sure < thresholds[channel]) return;
		const action = sure >= highFrom ? highs[channel] : mediums[channel];
		if (action == 'deny') this.denied = true;
		if (action != 'strip' && action != 'mask') {
			this.add(sure, channel, index, scanner.start, scanner.end, action);
			return;
		}
		sentences.find(scanner, text, trained[channel], thresholds[channel]);
		for (let at = 0; at < sentences.starts.length; at++) {
			this.add(scanner.probability(sentences.scores[at]), channel, index, sentences.starts[at], sentences.ends[at], action);
		}
		this.left = sentences.without(text, action == 'mask' ? removed : '');
	}

	private add(sure: f64, channel: i32, index: i32, start: i32, end: i32, action: string): void {
		if (this.count == mostFindings) return;
		const severity = sure >= highFrom ? 'high' : 'medium';
		const place = index < 0 ? '' : `"text":${index},`;
		const what = `"detector":"classifier","category":"injection","severity":"${severity}","channel":"${names[channel]}"`;
		const span = `{${place}"start":${start},"end":${end}}`;
		this.json += `${this.count++ == 0 ? '' : ','}{${what},"score":${Math.round(sure * 1000) / 1000},"span":${span},"action":"${action}"}`;
	}

	deny(): i32 {
		answer(`{"verdict":"deny","code":"content_blocked","message":${quoted(message)},"rule":"injection","findings":[${this.json}]}`);
		return 0;
	}
}

function judge(fields: Json): i32 {
	const texts = fields.get('text');
	const channels = fields.get('channels');
	if (texts === null || channels === null) return 0;
	sentences.begin();
	const findings = new Findings();
	const patches: Array<string> = [];
	for (let index = 0; index < texts.items.length; index++) {
		const channel = names.indexOf(channels.items[index].text);
		if (channel < 0 || thresholds[channel] > 1) continue;
		findings.look(texts.items[index].text, channel, index);
		const left = findings.left;
		if (left !== null) patches.push(`"${index}":${quoted(left)}`);
	}
	if (findings.count == 0) return 0;
	if (findings.denied) return findings.deny();
	if (patches.length == 0) answer(`{"verdict":"allow","findings":[${findings.json}]}`);
	else answer(`{"verdict":"rewrite","patch":{"text":{${patches.join(',')}}},"findings":[${findings.json}]}`);
	return 0;
}

/** A piece of an answer that streams. */
function piece(window: Json, channels: Json): i32 {
	const text = window.get('text')!.text;
	const channel = names.indexOf(channels.items[0].text);
	if (channel < 0 || thresholds[channel] > 1) {
		answer(`{"verdict":"allow","clear":${text.length}}`);
		return 0;
	}
	sentences.begin();
	const findings = new Findings();
	findings.look(text, channel, -1);
	if (findings.count == 0) return 0;
	if (findings.denied) return findings.deny();
	const left = findings.left;
	if (left === null) answer(`{"verdict":"allow","findings":[${findings.json}]}`);
	else answer(`{"verdict":"rewrite","patch":{"window":${quoted(left)}},"clear":${text.length},"findings":[${findings.json}]}`);
	return 0;
}
