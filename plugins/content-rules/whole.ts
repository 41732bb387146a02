import type {Channel, Finding, Host} from '../../plugin-sdk/index.ts';
import {findingOf, findingOfAnswer, findingOfLanguage, written} from './changes.ts';
import type {Place} from './fields.ts';
import {counted, type Hit, scanAll} from './hits.ts';
import {endOf, placeOf, readJson, readPlain} from './reading.ts';
import type {AnswerRules, Settings} from './settings.ts';
import {silence} from './spoken.ts';

/** Where a text goes: by what it is, and whether it is on its way to a model or a server, or back. */
export const placeFor = (channel: Channel, asks: boolean): Place => {
	if (channel === 'tool-result') return 'tool-results';
	if (channel === 'tool-arguments') return 'tool-arguments';
	if (channel === 'tool-description') return 'tool-descriptions';
	// Ids and names that a provider gives an answer are of `system`; what a client answers a server is of `user`.
	return !asks && channel !== 'user' ? 'answer' : 'request';
};

/** What becomes of some texts. */
export type Changed = {patch: Record<string, string>; findings: Finding[]};

const isJson = (text: string): boolean => {
	try {
		JSON.parse(text);
		return true;
	} catch {
		// Whether it is JSON is what is asked: any error says that it is not.
		return false;
	}
};

/** JSON within a string: an object or a list, as arguments come from some providers. */
const looksLikeJson = (text: string): boolean => /^\s*[[{]/.test(text);

const answerFindings = (text: string, index: number, {maxChars, tooLong, json, check, notJson}: AnswerRules): Finding[] => {
	const findings: Finding[] = [];
	if (maxChars !== undefined && text.length > maxChars) findings.push(findingOfAnswer('length', tooLong, index));
	if (json && !isJson(text)) findings.push(findingOfAnswer('json', notJson, index));
	else if (check && !check(JSON.parse(text))) findings.push(findingOfAnswer('schema', notJson, index));
	return findings;
};

/** Not in the middle of a character of two units. */
const upTo = (text: string, length: number): string => text.slice(0, length).replace(/[\ud800-\udbff]$/, '');

/** All texts of a request, or of a reply that came whole; `said` are the indexes of those that are a model's answer. */
export const wholeTexts = (
	texts: readonly string[],
	channels: readonly Channel[],
	asks: boolean,
	settings: Settings,
	said: readonly number[],
): Changed => {
	const {rules, answers} = settings;
	const patch: Record<string, string> = {};
	const findings: Finding[] = [];
	for (const [index, text] of texts.entries()) {
		const channel = channels[index] ?? (asks ? 'user' : 'assistant');
		const place = placeFor(channel, asks);
		const ofAnswer = said.includes(index) ? answers : undefined;
		const scanners = settings.scannersFor(place, channel);
		const asJson = ofAnswer?.json === true || (place === 'tool-arguments' && looksLikeJson(text));
		const reading = asJson ? readJson(text, true) : readPlain(text);
		const hits: Hit[] = counted(scanAll(scanners, reading.text, 0, true).found).map(hit => {
			return {...hit, start: placeOf(reading, hit.start), end: endOf(reading, hit.end)};
		});
		findings.push(...hits.map(hit => findingOf(hit, hit, rules, channel, index)));
		const language = settings.languageFor(place, channel);
		const foreign = language?.listen(silence, text, true).foreign;
		if (language && foreign) findings.push(findingOfLanguage(foreign, language, rules, channel, index));
		let out = written(text, 0, text.length, hits, rules);
		if (ofAnswer) {
			findings.push(...answerFindings(text, index, ofAnswer));
			if (ofAnswer.maxChars !== undefined && ofAnswer.tooLong === 'strip') out = upTo(out, ofAnswer.maxChars);
		}
		if (out !== text) patch[index] = out;
	}
	return {patch, findings};
};

/** What the texts are about, where a rule asks that of them; `unasked` where nobody could be asked. */
export const topicsOf = async (
	texts: readonly string[],
	channels: readonly Channel[],
	asks: boolean,
	{meaning, rules}: Settings,
	models: Host<unknown>['models'],
): Promise<Finding[] | 'unasked'> => {
	const asked = texts.flatMap((text, index) => {
		const channel = channels[index] ?? 'user';
		const place = placeFor(channel, asks);
		return meaning?.isAsked(place, channel) ? [{text, index, channel, place}] : [];
	});
	if (!meaning || asked.length === 0) return [];
	const about = await meaning.of(
		asked.map(({text}) => text),
		models,
	);
	if (!about) return 'unasked';
	return asked.flatMap(({index, channel, place}, at) =>
		about[at]!.filter(({rule}) => meaning.isFor(rule, place, channel)).map(near => findingOf(near, near, rules, channel, index)),
	);
};
