import {numbers, pick, type Random, seeded, spoiled} from './own-numbers.ts';
import {aroundKeys, keys, namedSecrets, noKeys} from './own-secrets.ts';
import {harmless, sentences} from './own-sentences.ts';
import type {Row} from './pii.ts';

const names = ['ines', 'b.okafor', 'mei_lin', 'r-hale', 'j.p.vance', 'karin77', 'x', 'ops+alerts'];
const hosts = ['corp.example', 'mail.firma.example', 'uni-west.example', 'a.co.example', 'post.example.org'];

const phones: ReadonlyArray<(random: Random) => string> = [
	random => `+44 20 79${random(90) + 10} ${1_000 + random(8_999)}`,
	random => `+49 (0)351 ${100_000 + random(899_999)}`.replace(' (0)', ' '),
	random => `(${200 + random(700)}) ${200 + random(700)}-${1_000 + random(8_999)}`,
	random => `${200 + random(700)}-${200 + random(700)}-${1_000 + random(8_999)}`,
	random => `+33 6 ${10 + random(89)} ${10 + random(89)} ${10 + random(89)} ${10 + random(89)}`,
	random => `0${1 + random(8)} ${10 + random(89)} ${10 + random(89)} ${10 + random(89)} ${10 + random(89)}`,
	random => `+91 98${random(10)}${random(10)}${random(10)} ${10_000 + random(89_999)}`,
];

const make = (random: Random, type: string): string => {
	if (type === 'EMAIL') return `${pick(random, names)}@${pick(random, hosts)}`;
	if (type === 'PHONE') return pick(random, phones)(random);
	const maker = numbers[type];
	if (maker === undefined) throw new Error(`No values of ${type} are made here.`);
	return maker(random);
};

/** A sentence with a value at each of its places. */
const filled = (random: Random, sentence: string): Pick<Row, 'text' | 'spans'> => {
	const spans: Array<Row['spans'][number]> = [];
	let text = '';
	let at = 0;
	for (const {0: mark, 1: type = '', index} of sentence.matchAll(/\{([A-Z_]+)\}/g)) {
		text += sentence.slice(at, index);
		const value = make(random, type);
		spans.push({start: text.length, end: text.length + value.length, type});
		text += value;
		at = index + mark.length;
	}
	return {text: text + sentence.slice(at), spans};
};

const around = (sentence: string, value: string): Pick<Row, 'text' | 'spans'> => {
	const start = sentence.indexOf('{}');
	return {text: sentence.replace('{}', () => value), spans: [{start, end: start + value.length, type: 'SECRET'}]};
};

/** Kinds whose last digit is wrong in nine numbers of ten. */
const spoilable = [
	'CREDIT_CARD',
	'IBAN',
	'IMEI',
	'ABA_ROUTING',
	'CA_SIN',
	'BR_CPF',
	'PL_PESEL',
	'NL_BSN',
	'UK_NHS',
	'SE_PERSONNUMMER',
	'CH_AHV',
	'BG_EGN',
];

/** A passport of Germany or Korea is a passport here. */
const everything = {scope: ['*', 'SECRET', 'PASSPORT'], neg: []};

/** The project's own texts, the same for the same seed: sentences with values, with keys, and with what only looks like one. */
export const ownRows = (seed: number): Row[] => {
	const random = seeded(seed);
	const rows: Row[] = [];
	const add = (source: string, row: Pick<Row, 'text' | 'spans'> & Partial<Row>): void => {
		rows.push({id: `${source}-${rows.length}`, source, ...everything, ...row});
	};
	for (let round = 0; round < 8; round++) {
		for (const sentence of sentences) add('values', filled(random, sentence));
		for (const key of keys) add('keys', around(pick(random, aroundKeys), key(random)));
		for (const [sentence, key] of namedSecrets) add('named', around(sentence, key(random)));
		for (const text of noKeys) add('no-keys', {text: text(random), spans: [], neg: ['*']});
		for (const type of spoilable) {
			const sentence = pick(
				random,
				sentences.filter(each => each.includes(`{${type}}`) && each.split('{').length < 4),
			);
			const {text, spans} = filled(random, sentence);
			const [span] = spans;
			if (span === undefined || spans.length > 1) continue;
			const wrong = text.slice(0, span.start) + spoiled(text.slice(span.start, span.end)) + text.slice(span.end);
			add('spoiled', {text: wrong, spans: [], scope: [type], neg: [type]});
		}
	}
	for (const text of harmless) add('harmless', {text, spans: [], neg: ['*']});
	return rows;
};
