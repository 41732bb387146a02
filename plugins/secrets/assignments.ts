import {ALNUM, DIGIT, entropy, isKind, kindOf, LOWER, UPPER} from './characters.ts';
import type {Found} from './found.ts';
import {lookBehind, nameBefore} from './names.ts';

const bearer = /(?:Bearer|Token|Basic|Bot|token) {1,2}["']?$/;
const login = /(?:^|\s)(?:-u|--user)[ =]["']?$/;
const account = /\b(?:login|user|admin|root|account|credentials?)\b.{0,30} \/ $/i;

/** A password that somebody tells, in a few languages. */
const told =
	/(?:\bpass ?(?:word|code|phrase)|\bpw|passwort|kennwort|contraseña|mot de passe|senha|wachtwoord|has[łl]o|пароль|密码|密碼|パスワード|비밀번호)(?: ?[:=：] ?| (?:is|ist|lautet|es|est|é):? |は|是)["'`]?$/i;

const sensitive =
	/(?:pass(?:word|wd|phrase|code)?s?|pwd|secret|token|credentials?|creds?|auth|(?:api|access|private|secret|signing|encryption|master|service|account|license|client|consumer|shared|app|webhook|subscription|storage|admin|bot|ssh|rsa|aes|hmac|jwt|deploy|root|user|session|ref)[-_.]?(?:key|id|login)|apikey|keys?)$/;

const vendor =
	/(?:adafruit|adobe|airtable|algolia|alibaba|artifactory|asana|atlassian|confluence|jira|beamer|bitbucket|bittrex|cloudflare|codecov|cohere|coinbase|confluent|contentful|datadog|discord|droneci|dropbox|etsy|facebook|fastly|finicity|finnhub|flickr|freshbooks|gitter|heroku|hubspot|intercom|jfrog|kraken|kucoin|linear|linkedin|looker|mattermost|meraki|messagebird|netlify|nytimes|okta|plaid|privateai|rapidapi|sendbird|snyk|sonar|squarespace|sumo|travis|trello|twitch|twitter|yandex|zendesk|contribsys)/;

const harmless =
	/(?:public|foreign|schema|sequence|csrf|xsrf|cache|primary|sort|partition|column|row|map|object|hot|short|arrow|press|translation|i18n|licen[sc]e_?files|checksum|chksum|srcrev|keyboard|keystroke|token_?type|token_?count|max_?tokens?|key_?(?:name|path|file|type|size|code|id|alias|vault)|monkey|turkey|keyring|bucket|author|credentials_?id|idempotency|dedup|trace|correlation|request|instance)/;

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

const password = /pass|pwd|secret$|login|user$|admin$|root$/;

/** What stands for a value, or only looks like one: variables, paths, versions, dates, addresses, words with numbers. */
const notSecret =
	/^(?:\$|%[\w]|\{|<|env[.:]|process\.|os\.|https?:|file:|[./~]|arn:|s3:|data:|sha\d+[:-]|[a-z-]+-\d+\.\d+|v?\d+(?:\.\d+){1,4}\b|\d{1,4}[-/]\d{1,2}[-/]\d{1,4})|(.)\1{4}|[\w)]\??\.[_a-z]\w*\??\.[a-z]{3}|\?\.|x{4}|X{4}|\*{3}|\.\.\.|EXAMPLE|example|changeme|your[-_]|placeholder|\.(?:html?|jsx?|tsx?|json|ya?ml|png|jpe?g|gif|svg|com|org|net|io|md|txt|py|go|rs|pem|crt)(?:$|[/:?#])/;

/** `snake_case_words1`, `kebab-case-2`, `CamelCaseWord3`, `call.of.method`: made by people to be read. */
const readable = /^(?:[A-Za-z]+|\d{1,4}|[A-Z]?[a-z]+\d{0,3})(?:[-_./:][A-Za-z]*\d{0,4}){0,12}$/;

const letterDigitChanges = (value: string): number => {
	let changes = 0;
	let before = isKind(value, 0, DIGIT);
	for (let index = 1; index < value.length; index++) {
		const digit = isKind(value, index, DIGIT);
		if (digit !== before) changes++;
		before = digit;
	}
	return changes;
};

const isPassword = (value: string): boolean => {
	if (value.length < 6 || value.length > 80) return false;
	const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z\d]/].filter(kind => kind.test(value)).length;
	return kinds >= 3 || (kinds === 2 && /\d/.test(value) && value.length >= 7);
};

const isKey = (value: string): boolean => {
	if (value.length < 10 || value.length > 200) return false;
	if (uuid.test(value)) return true;
	if (/^\d+$/.test(value)) return value.length >= 16 && value.length <= 40 && entropy(value) > 2.4;
	if (!/\d/.test(value))
		return value.length >= 24 && /[a-z]/.test(value) && /[A-Z]/.test(value) && entropy(value) >= 3.7 && !readable.test(value);
	return entropy(value) >= 3 && !(readable.test(value) && letterDigitChanges(value) < 4) && letterDigitChanges(value) >= 2;
};

/** `apiKey2` and `API_KEY_2` are `api_key`. */
const plain = (name: string): string => {
	const small = /[a-z\d][A-Z]/.test(name) ? name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase() : name.toLowerCase();
	return isKind(small, small.length - 1, DIGIT) ? small.replace(/[_.-]?\d+$/, '') : small;
};

/** Whether a value of this name would be kept from strangers, and what kind of value that is. */
const says = (name: string): 'password' | 'key' | undefined => {
	if (name.length < 2) return;
	const words = plain(name);
	if (harmless.test(words)) return;
	if (sensitive.test(words)) return password.test(words) ? 'password' : 'key';
	return vendor.test(words) ? 'key' : undefined;
};

/** Whether a value is long enough for any secret. */
const isLong = (value: string): boolean => value.length >= 6;

/** What is cheap to see comes first: few names are of secrets, and fewer values look like one. */
const judge = (name: string, value: string): boolean => {
	if (!isLong(value)) return false;
	const kind = says(name);
	return kind !== undefined && !notSecret.test(value) && (isKey(value) || (kind === 'password' && isPassword(value)));
};

/** `name=value` and `name:value` written without a space. */
const split = (token: string): {name: string; at: number} | undefined => {
	if (!token.includes(':') && !token.includes('=')) return;
	const mark = /^[-?&]{0,2}([A-Za-z_$][\w$.-]{1,80}?)(?::{0,3}=|:)/.exec(token);
	return mark === null ? undefined : {name: mark[1]!, at: mark[0].length};
};

const trimmed = (value: string): string => {
	let end = value.length;
	while (end > 0 && '.:!?&'.includes(value.charAt(end - 1))) end--;
	const bare = end === value.length ? value : value.slice(0, end);
	return bare.includes('&') ? bare.replace(/&[\w.-]+=.*$/, '') : bare;
};

const longestTold = 36;

/** A password or key that a command line or a file of logins gives. */
const given =
	/(?:--[a-z-]{0,20}(?:password|passwd|passphrase|secret|token|api-?key) {1,2}|\bsshpass -p ?|\blogin \S{1,60} password {1,2})["']?$/;
const longestGiven = 90;

/** Longer values may be of letters alone. */
const longWord = 24;

/** Whether something in a token may be secret: it has a digit, or both cases and a mark, or is long. Most tokens have not. */
const mayHold = (token: string): boolean => {
	if (token.length >= longWord) return true;
	let classes = 0;
	let marks = false;
	for (let index = 0; index < token.length; index++) {
		const kind = kindOf(token.charCodeAt(index));
		classes |= kind;
		marks ||= (kind & ALNUM) === 0;
	}
	return (classes & DIGIT) !== 0 || (marks && (classes & (UPPER | LOWER)) === (UPPER | LOWER));
};

const assignment = (start: number, value: string, kind = 'assignment'): Found => ({
	start,
	end: start + value.length,
	category: 'assignment',
	kind,
});

const spoken = /^(?:pass(?:word)?|test|token|secret|\$.*|x+|\*+|y+)$/i;

const mostNames = 8;

/** A value that its name within an address tells, as in `jdbc:…?user=a&password=…` and `//host/:_authToken=…`. */
const inAddress = (token: string, start: number): Found | undefined => {
	if (!token.includes('/')) return;
	let at = token.indexOf('=');
	for (let count = 0; at !== -1 && count < mostNames; count++) {
		const name = /[A-Za-z_][\w.-]{1,60}$/.exec(token.slice(Math.max(0, at - 62), at))?.[0];
		const value = /^[^&;]*/.exec(token.slice(at + 1))?.[0] ?? '';
		if (name !== undefined && judge(name, trimmed(value))) return assignment(start + at + 1, trimmed(value));
		at = token.indexOf('=', at + 1);
	}
};

/** The `user:password` of a command line. */
const curlUser = (value: string, start: number): Found | undefined => {
	const colon = value.indexOf(':');
	const secret = value.slice(colon + 1);
	return colon !== -1 && secret.length > 2 && !spoken.test(secret) && !/[${}<]/.test(value)
		? assignment(start, value, 'curl-user')
		: undefined;
};

/** A value that only its name tells to be secret. `token` begins at `start` of `text`, of which `lookBehind` before may name it. */
export const matchAssignment = (token: string, start: number, text: string): Found | undefined => {
	const holds = mayHold(token);
	if (!holds && !token.includes(':')) return;
	const inner = holds ? split(token) : undefined;
	if (inner !== undefined) {
		const value = trimmed(token.slice(inner.at));
		if (judge(inner.name, value)) return assignment(start + inner.at, value);
	}
	const named = holds ? inAddress(token, start) : undefined;
	if (named !== undefined) return named;
	const value = trimmed(token);
	const before = text.slice(Math.max(0, start - lookBehind), start);
	if (value.includes(':') && login.test(before.slice(-12))) return curlUser(value, start);
	if (!holds) return;
	if (value.length >= 10 && bearer.test(before.slice(-10))) {
		return isKey(value) && !notSecret.test(value) ? assignment(start, value, 'authorization') : undefined;
	}
	if (before.endsWith(' / ') && account.test(before)) return isPassword(value) ? assignment(start, value, 'login') : undefined;
	if (!isLong(value)) return;
	if (given.test(before.slice(-longestGiven)) && (isKey(value) || isPassword(value)) && !notSecret.test(value))
		return assignment(start, value);
	if (told.test(before.slice(-longestTold)) && isPassword(value) && !notSecret.test(value)) return assignment(start, value);
	const name = nameBefore(before);
	return name !== undefined && judge(name, value) ? assignment(start, value) : undefined;
};
