import {languages} from '../plugins/content-rules/language.ts';
import {samples} from '../plugins/content-rules/language-samples.ts';
import {openListener, silence} from '../plugins/content-rules/spoken.ts';

// How well the rule `languages` of content-rules tells languages apart: node eval/languages.ts

/** Pieces of about so many characters, of whole words. */
const piecesOf = (text: string, chars: number): string[] => {
	const pieces: string[] = [];
	for (let at = 0; at < text.length; ) {
		let end = Math.min(text.length, at + chars);
		while (end < text.length && end > at + chars / 2 && /\s/.test(text) && !/\s/.test(text[end]!)) end--;
		if (end - at >= chars * 0.7) pieces.push(text.slice(at, end));
		at = end;
	}
	return pieces;
};

type Wanted = {allow: string[]} | {deny: string[]};
const listeners = new Map<string, ReturnType<typeof openListener>>();
const isForeign = (wanted: Wanted, text: string): boolean => {
	const key = JSON.stringify(wanted);
	const listen = listeners.get(key) ?? openListener({...wanted, minChars: 20, unknown: 'allow'});
	listeners.set(key, listen);
	return listen(silence, text, true).foreign !== undefined;
};

const percent = (part: number, all: number): string => `${((part / all) * 100).toFixed(1)} %`;

const codes = Object.keys(samples);
console.log(`${codes.length} languages with samples, ${languages.size} codes that can be written\n`);
console.log('| characters | pieces | another than the allowed one: found | the denied one: found | the allowed one: refused |');
console.log('|---|---|---|---|---|');
const notes: string[] = [];
for (const chars of [40, 60, 100, 200]) {
	const counts = {pieces: 0, pairs: 0, found: 0, denied: 0, wrong: 0};
	const missed = new Map<string, number>();
	for (const [code, texts] of Object.entries(samples)) {
		for (const piece of texts.flatMap(text => piecesOf(text, chars))) {
			counts.pieces++;
			if (isForeign({allow: [code]}, piece)) counts.wrong++;
			if (isForeign({deny: [code]}, piece)) counts.denied++;
			for (const other of codes) {
				if (other === code) continue;
				counts.pairs++;
				if (isForeign({allow: [other]}, piece)) counts.found++;
				else missed.set(`${code} as ${other}`, (missed.get(`${code} as ${other}`) ?? 0) + 1);
			}
		}
	}
	const {pieces, pairs, found, denied, wrong} = counts;
	console.log(`| ${chars} | ${pieces} | ${percent(found, pairs)} | ${percent(denied, pieces)} | ${percent(wrong, pieces)} |`);
	const most = [...missed].sort((one, other) => other[1] - one[1]).slice(0, 12);
	notes.push(`${chars}, not told apart most: ${most.map(([pair, times]) => `${pair} ${times}`).join(', ')}`);
}
console.log(`\n${notes.join('\n')}`);
