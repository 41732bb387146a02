import type {Json} from '../../plugin-sdk/index.ts';
import {refusedArgument, valuesAt} from '../grants/arguments.ts';
import {type Asked, keysOf} from './call.ts';
import type {Condition, Rule} from './rules.ts';

/** Whether `text` is what `pattern` says, where `*` stands for anything; in time by the product of both lengths at most. */
export const fits = (pattern: string, text: string): boolean => {
	const [first = '', ...rest] = pattern.split('*');
	if (rest.length === 0) return text === pattern;
	const last = rest.pop()!;
	if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
	let at = first.length;
	for (const part of rest) {
		const found = text.indexOf(part, at);
		if (found < 0) return false;
		at = found + part.length;
	}
	return at <= text.length - last.length;
};

const fitsAny = (patterns: readonly string[] | undefined, text: string | undefined): boolean =>
	text !== undefined && patterns?.some(pattern => fits(pattern, text)) === true;

const isOf = ({of}: Rule, {call, tags}: Asked): boolean => {
	if (!of) return true;
	const {tenant, team, user} = call;
	const within = (name: string | undefined) => (name === undefined ? undefined : `${tenant}/${name}`);
	if (of.tenants && !fitsAny(of.tenants, tenant)) return false;
	if (of.teams && !fitsAny(of.teams, within(team))) return false;
	if (of.users && !fitsAny(of.users, within(user))) return false;
	if (of.keys && !keysOf(call).some(key => fitsAny(of.keys, key))) return false;
	return !of.tags || tags.some(tag => fitsAny(of.tags, tag));
};

const isThere = (value: Json | undefined): value is Json => value !== undefined;

const isSo = (value: Json, {like, oneOf, min}: Condition): boolean => {
	if (like && typeof value === 'string' && !fitsAny(like, value)) return false;
	if (oneOf && (typeof value !== 'object' || value === null) && !oneOf.some(one => one === value)) return false;
	return min === undefined || typeof value !== 'number' || value >= min;
};

const isNamed = ({tools, asked, models}: Rule, {source, server, tool, model}: Asked['call']): boolean => {
	if (source === 'request') return fitsAny(models, model);
	return source === 'model' ? fitsAny(asked, tool) : fitsAny(tools, `${server ?? ''}/${tool}`);
};

const isTainted = ({tainted}: Rule, {taints}: Asked): boolean =>
	tainted === undefined || taints.some(name => tainted === true || tainted.includes(name));

/** Whether a rule keeps this call waiting. */
export const concerns = (rule: Rule, asked: Asked): boolean => {
	if (!isNamed(rule, asked.call) || !isOf(rule, asked) || !isTainted(rule, asked)) return false;
	const {arguments: given = {}} = asked;
	for (const [path, condition] of Object.entries(rule.arguments ?? {}))
		if (!valuesAt({...given}, path.split('.')).some(value => isThere(value) && isSo(value, condition))) return false;
	const {unless} = rule;
	return !unless || Object.entries(unless).some(([path, free]) => refusedArgument(given, path, free) !== undefined);
};
