import {compilePattern} from '../../plugin-sdk/pattern.ts';
import type {Finder} from './custom.ts';

const window = 256;

/** Finds `value` behind `lead`, unless it is something that `not` matches. */
const led = (lead: string, value: string, not?: RegExp): Finder => {
	const pattern = compilePattern(`\\b(?:${lead})(?:${value})`, {window});
	const before = new RegExp(`^(?:${lead})`, 'u');
	return {
		scan(text, from, final) {
			const {found, open} = pattern.scan(text, from, final);
			const values = found.map(({start, end}) => ({start, end, lead: before.exec(text.slice(start, end))?.[0].length ?? 0}));
			return {found: values.filter(({start, end, lead: length}) => !not?.test(text.slice(start + length, end))), open};
		},
	};
};

const plain = (value: string): Finder => compilePattern(value, {window});

const word = "\\p{Lu}[\\p{L}'’-]+";
const initial = '\\p{Lu}\\.';
const oneToThree = `${word}(?: (?:${initial} )?(?:(?:de|da|van|von|der|la|al) )*${word}){0,2}`;

const title = '(?:(?:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Herr|Frau|Mme|Mlle|Sr|Sra|Sig)\\.? )';

/** Whom letters and chats greet without a name. */
const nobody =
	/^(?:Sir|Madam|Customer|Team|All|Everyone|Colleague|Friend|Support|There|World|Again|Hiring|Editor|Diary|User|Client|Santa|God|Damen|Herren|Kunde|Kollege|Kollegen|Monsieur|Madame|Señor|Señora|Sr|I|The|This|We|My|Please|What|How|Can|Could|Is|Are|If)(?:s|n)?\b/;

/** Names of people, by what is said before them. */
export const personFinders = (): readonly Finder[] => [
	led(
		"(?:[Mm]y|[Hh]is|[Hh]er) (?:full )?name is |(?:[Mm]ein Name ist|[Ii]ch hei(?:ß|ss)e) |(?:[Jj]e m['’]appelle|[Mm]on nom est) |(?:[Mm]i nombre es|[Mm]e llamo) |[Mm]i chiamo |[Mm]eu nome é ",
		oneToThree,
	),
	led(
		`(?:Dear|Hi|Hello|Hey|Hallo|Liebe|Lieber|Cher|Chère|Estimado|Estimada|Caro|Cara|Prezado|Prezada|Sehr geehrter|Sehr geehrte) ${title}?`,
		`${word}(?: ${word})?`,
		nobody,
	),
	led(title, oneToThree),
	led(
		'(?:[Ff]ull|[Ff]irst|[Ll]ast|[Gg]iven|[Ff]amily|[Cc]ustomer|[Pp]atient|[Hh]older)[ _-]?[Nn]ame["\']?\\s{0,3}[:=]\\s{0,3}["\']?',
		oneToThree,
	),
	led('(?:Best|Kind|Warm) regards,\\s{1,3}|Sincerely,\\s{1,3}|Cheers,\\s{1,3}|Mit freundlichen Grüßen,?\\s{1,3}', oneToThree, nobody),
];

const streets = [
	'Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl',
	'Square|Sq|Terrace|Close|Crescent|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Trail|Row|Gardens|Hill',
];
const flat = '(?:,? (?:Apt|Suite|Ste|Unit|Flat|#)\\.? ?[\\dA-Z]{1,4})?';
const numbered = '\\d{1,3}(?:st|nd|rd|th)';

/** Postal addresses, by how streets are written in a few languages. */
export const addressFinders = (): readonly Finder[] => [
	...streets.map(street => plain(`\\b\\d{1,5}[A-Za-z]? (?:[NSEW]\\.? )?(?:${word}|${numbered}) (?:${word} )?(?:${street})\\b${flat}`)),
	plain(
		`\\b\\p{Lu}\\p{L}{2,}(?:straße|strasse|str\\.|weg|allee|platz|gasse|gatan|vägen|vej|straat|laan) \\d{1,4} ?[a-z]?\\b(?:,? \\d{4,5} \\p{Lu}\\p{L}+)?`,
	),
	plain(
		`\\b\\d{1,4}(?: ?bis)?,? (?:rue|avenue|boulevard|place|chemin|impasse|quai|allée|cours) (?:(?:de|du|des|la|le|les) |d['’]|l['’]){0,2}${word}(?: ${word}){0,2}`,
	),
	plain(
		`\\b(?:Calle|Avenida|Avda\\.?|Plaza|Paseo|Via|Viale|Piazza|Corso|Rua|Praça|Travessa|Ulica|ul\\.) (?:(?:de|del|della|dei|la|el|los|das|dos|da|do) ){0,2}${word}(?: ${word}){0,2},? (?:n\\.?º? ?)?\\d{1,4}[A-Za-z]?\\b`,
	),
	plain('\\b(?:P\\.? ?O\\.? ?Box|Postfach|Apartado|Casella Postale|Boîte Postale|BP) \\d{1,6}\\b'),
];
