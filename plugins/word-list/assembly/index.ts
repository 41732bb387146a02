import {answer, input} from './host';
import {Json, parse, quoted} from './json';
import {Matcher} from './matcher';

const refusal = 'This text holds a word that is not allowed here.';

let matcher: Matcher = new Matcher([], false, true);
let masks = false;

/** Keeps the config, which the gateway has checked by the schema in manifest.json. */
export function configure(): i32 {
	const config = parse(input());
	const words: Array<string> = [];
	const given = config.get('words')!.items;
	for (let index = 0; index < given.length; index++) words.push(given[index].text);
	const sensitive = config.get('caseSensitive');
	const whole = config.get('wholeWords');
	matcher = new Matcher(words, sensitive !== null && sensitive.yes, whole === null || whole.yes);
	masks = config.get('action')!.text == 'mask';
	return 0;
}

export function pre_request(): i32 {
	return whole(parse(input()).get('text'));
}

export function post_response(): i32 {
	const fields = parse(input());
	const window = fields.get('window');
	return window === null ? whole(fields.get('text')) : piece(window);
}

function deny(): i32 {
	answer(`{"verdict":"deny","code":"content_blocked","message":${quoted(refusal)},"rule":"word-list"}`);
	return 0;
}

/** All of a request's or a reply's text at once. */
function whole(text: Json | null): i32 {
	if (text === null) return 0;
	let patch = '';
	for (let index = 0; index < text.items.length; index++) {
		const found = matcher.scan(text.items[index].text, true);
		if (!found.hit) continue;
		if (!masks) return deny();
		patch += `${patch == '' ? '' : ','}"${index}":${quoted(found.masked)}`;
	}
	if (patch != '') answer(`{"verdict":"rewrite","patch":{"text":{${patch}}}}`);
	return 0;
}

/** A piece of a reply that streams; what may be the beginning of a word is held back. */
function piece(window: Json): i32 {
	const found = matcher.scan(window.get('text')!.text, window.get('final')!.yes);
	if (found.hit && !masks) return deny();
	const clear = `"clear":${found.clear}`;
	if (found.hit) answer(`{"verdict":"rewrite","patch":{"window":${quoted(found.masked)}},${clear}}`);
	else answer(`{"verdict":"allow",${clear}}`);
	return 0;
}
