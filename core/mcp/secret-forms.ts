import {numberIn} from '../llm/exact.ts';
import {isObject, type JsonObject} from '../llm/json.ts';

const secret =
	/\b(?:pass ?(?:word|phrase|code|wd)s?|pwd|pin|secret|credentials?|api ?keys?|(?:access|auth|bearer|refresh) ?tokens?|token|private ?key|cvv|cvc|otp)\b/gi;
const giving = 'enter|type|give|provide|paste|fill in|input|supply|send|share|tell|submit|include|put|write';
/** Somebody is told not to: "never share your password", "do not give us your phone number, pin, or the like". */
const forbidding = new RegExp(`\\b(?:do not|don['’]t|never)\\s+(?:ever\\s+|please\\s+)?(?:${giving})\\b(?!.*\\b(?:${giving})\\b)`, 'is');
/** What is asked for is something of a secret, and not the secret: "the name of the API key", "token limit". */
const thingOf =
	'names?|labels?|titles?|descriptions?|lengths?|limits?|budgets?|counts?|numbers?|kinds?|types?|expiry|lifetimes?|scopes?|ids?';
const ofIt = new RegExp(`\\b(?:${thingOf})\\s+(?:of|for)\\s+(?:\\w+\\s+){0,3}$`, 'i');
const itsOwn = new RegExp(`^\\s+(?:${thingOf})\\b`, 'i');
/** A message is prose: there only what is asked for counts, not what is spoken of. */
const asking = /\b(?:enter|type|give|provide|paste|fill in|input|supply|tell (?:us|me)|need|what is)\b/i;

const nearby = 200;
const spaced = (name: string): string => name.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/[_-]+/g, ' ');

/** What stands before a word in its own clause. */
const clauseBefore = (text: string, at: number): string => {
	const before = text.slice(Math.max(0, at - nearby), at);
	return before.slice(Math.max(...['.', '!', '?', ';', ':', '\n', '('].map(end => before.lastIndexOf(end))) + 1);
};

const speaksOfSecret = (text: unknown, counts: (before: string) => boolean): boolean => {
	if (typeof text !== 'string') return false;
	const words = spaced(text);
	for (const {index, 0: word} of words.matchAll(secret)) {
		const before = clauseBefore(words, index);
		const after = words.slice(index + word.length, index + word.length + nearby);
		if (!forbidding.test(before) && !ofIt.test(before) && !itsOwn.test(after) && counts(before)) return true;
	}
	return false;
};

const always = (): boolean => true;

/** The shortest secrets are numbers of three digits. */
const longestHarmless = 998;

/** Whether something that nobody knows could be typed into a field: not a choice, not a date, not a number that is too small for one. */
const isRoomy = ({type, format, enum: choices, oneOf, anyOf, items, maximum}: JsonObject): boolean => {
	if (type === 'array') return !isObject(items) || isRoomy(items);
	if (type === 'boolean' || choices !== undefined || oneOf !== undefined || anyOf !== undefined) return false;
	if (type === 'string' && ['email', 'date', 'date-time'].includes(String(format))) return false;
	return !((type === 'integer' || type === 'number') && (numberIn(maximum) ?? Infinity) <= longestHarmless);
};

const mostChars = 20_000;
const lengthOf = (text: unknown): number => (typeof text === 'string' ? text.length : 0);

/** Whether the words of a form (its message; names, titles and descriptions of its fields) are too many to be looked through: over 20,000 characters. */
export const isWordy = ({message, requestedSchema}: JsonObject): boolean => {
	const fields = isObject(requestedSchema) && isObject(requestedSchema.properties) ? requestedSchema.properties : {};
	let chars = lengthOf(message);
	for (const [name, field] of Object.entries(fields))
		chars += name.length + (isObject(field) ? lengthOf(field.title) + lengthOf(field.description) : 0);
	return chars > mostChars;
};

/**
 * Whether a form asks for what nobody should type into one (2025-11-25 and 2026-07-28, Elicitation: servers must not ask for passwords, keys,
 * tokens or the like): by the name, title, description or format of a field that has room for one, or by its message where there is such a
 * field. English words alone: a form that says it in another way is not found out.
 * Only for a form that is not `isWordy`: of 4 million characters it takes seconds.
 */
export const asksForSecret = ({message, requestedSchema}: JsonObject): boolean => {
	const fields = isObject(requestedSchema) && isObject(requestedSchema.properties) ? requestedSchema.properties : {};
	const roomy = Object.entries(fields).filter(([, field]) => !isObject(field) || isRoomy(field));
	const isAsked = roomy.some(([name, field]) => {
		const {title, description, format} = isObject(field) ? field : {};
		return format === 'password' || [name, title, description].some(text => speaksOfSecret(text, always));
	});
	return isAsked || (roomy.length > 0 && speaksOfSecret(message, before => asking.test(before)));
};
