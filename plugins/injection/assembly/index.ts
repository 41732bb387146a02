import {answer, input} from './host.ts';
import {Json, parse, quoted} from './json.ts';
import {Scanner} from './scanner.ts';
import {model} from './weights.ts';

const names: Array<string> = ['user', 'tool-result', 'tool-description', 'tool-arguments', 'assistant'];
/** Which of the channels it was trained on stands for each of `names`. */
const trained: Array<i32> = [0, 1, 2, 1, 1];
const unread: f64 = 2;
const mostFindings = 64;

const scanner: Scanner = new Scanner(Int8Array.wrap(changetype<ArrayBuffer>(model)));
const thresholds: Array<f64> = [0.9, 0.9, 0.9, unread, unread];
let denies = false;

/** Keeps the config, which the gateway has checked by the schema in manifest.json. */
export function configure(): i32 {
	const config = parse(input());
	denies = config.get('action')!.text == 'deny';
	const given = config.get('thresholds');
	for (let index = 0; index < names.length && given !== null; index++) {
		const threshold = given.get(names[index]);
		if (threshold !== null) thresholds[index] = threshold.number;
	}
	return 0;
}

export function pre_request(): i32 {
	return judge(parse(input()));
}

export function post_response(): i32 {
	return judge(parse(input()));
}

/** Answers the score of {text, channel}, for a test to compare; the gateway never asks. */
export function score(): i32 {
	const given = parse(input());
	const channel = names.indexOf(given.get('channel')!.text);
	answer(scanner.score(given.get('text')!.text, trained[channel]).toString());
	return 0;
}

function judge(fields: Json): i32 {
	const texts = fields.get('text');
	const channels = fields.get('channels');
	if (texts === null || channels === null) return 0;
	let findings = '';
	let count = 0;
	for (let index = 0; index < texts.items.length && count < mostFindings; index++) {
		const channel = names.indexOf(channels.items[index].text);
		if (channel < 0 || thresholds[channel] > 1) continue;
		const text = texts.items[index].text;
		const score = scanner.probability(scanner.score(text, trained[channel]));
		if (score < thresholds[channel]) continue;
		findings += (count++ == 0 ? '' : ',') + finding(score, channel, index, text.length);
	}
	if (count == 0) return 0;
	if (!denies) answer(`{"verdict":"allow","findings":[${findings}]}`);
	else {
		const message = 'This text reads as an attempt to give the model other instructions.';
		answer(`{"verdict":"deny","code":"content_blocked","message":${quoted(message)},"rule":"injection","findings":[${findings}]}`);
	}
	return 0;
}

function finding(score: f64, channel: i32, index: i32, length: i32): string {
	const severity = score > 0.98 ? 'high' : 'medium';
	const span = `{"text":${index},"start":0,"end":${length}}`;
	const what = `"detector":"classifier","category":"injection","severity":"${severity}","channel":"${names[channel]}"`;
	return `{${what},"score":${Math.round(score * 1000) / 1000},"span":${span},"action":"${denies ? 'deny' : 'flag'}"}`;
}
