import type {Json} from '../../plugin-sdk/index.ts';
import {refusedArgument} from './arguments.ts';
import {fitsResource} from './paths.ts';
import type {Right, Standing} from './rights.ts';
import type {Rule} from './rules.ts';

/** What is asked for; what is left out is not judged. */
export type Question = {
	model?: string;
	operation?: string;
	/** `provider/model`, as planned, best first. */
	deployments?: readonly string[];
	inputTokens?: number;
	outputTokens?: number;
	server?: string;
	/** By its own name; its server's stands before it in a rule. */
	tool?: string;
	prompt?: string;
	/** An address, or the template of one. */
	resource?: string;
	arguments?: Readonly<Record<string, Json>>;
	/** A tool that a model asks for in its answer. */
	asked?: string;
	/** What the session is tainted with. */
	taints?: readonly string[];
};

export type Code = 'model_not_granted' | 'provider_not_granted' | 'operation_not_granted' | 'output_not_granted' | 'denied';

/**
 * Whether a right goes so far. `plan` is there when some of the deployments are not granted: those that are. `by` is the rule that refuses;
 * without one, nobody has granted it. `tainted`: it is refused for these alone.
 */
export type Decision =
	| {granted: true; plan?: string[]; code?: undefined; by?: undefined}
	| {granted: false; code: Code; message: string; by?: Standing; tainted?: string[]};

const fits = (pattern: string, name: string): boolean => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name);
const fitsAny = (patterns: readonly string[], name: string): boolean => patterns.some(pattern => fits(pattern, name));

const refused = (code: Code, message: string, by: Standing | undefined): Decision => ({granted: false, code, message, ...(by && {by})});
const quoted = (name: string): string => `"${name.slice(0, 200)}"`;

/** The first rule that names such things and not this one; `'nobody'` when no operator's rule names any. */
const against = (
	right: Right,
	aspect: 'models' | 'servers' | 'tools' | 'prompts' | 'resources',
	name: string,
): Standing | 'nobody' | undefined => {
	let granted = false;
	for (const standing of right) {
		const patterns = standing.rule[aspect];
		if (patterns === undefined) continue;
		if (!patterns.some(pattern => (aspect === 'resources' ? fitsResource : fits)(pattern, name))) return standing;
		granted ||= standing.from !== 'tenant';
	}
	return granted ? undefined : 'nobody';
};

/** The narrowest of the limits that are set. */
const least = (right: Right, aspect: 'maxInputTokens' | 'maxOutputTokens'): {most: number; by: Standing} | undefined => {
	let found: {most: number; by: Standing} | undefined;
	for (const by of right) {
		const most = by.rule[aspect];
		if (most !== undefined && (found === undefined || most < found.most)) found = {most, by};
	}
	return found;
};

const ofModel = (right: Right, {model}: Question): Decision | undefined => {
	const by = model === undefined ? undefined : against(right, 'models', model);
	return by && refused('model_not_granted', `The model ${quoted(model!)} is not granted to this key.`, by === 'nobody' ? undefined : by);
};

const ofOperation = (right: Right, {operation}: Question): Decision | undefined => {
	if (operation === undefined) return undefined;
	const by = right.find(({rule: {operations}}) => operations && !fitsAny(operations, operation));
	return by && refused('operation_not_granted', `Calls of the kind ${operation} are not granted to this key.`, by);
};

const ofTokens = (right: Right, {inputTokens, outputTokens}: Question): Decision | undefined => {
	const input = inputTokens === undefined ? undefined : least(right, 'maxInputTokens');
	if (input && inputTokens! > input.most)
		return refused('denied', `This may be ${inputTokens} tokens of input; this key may send ${input.most} at a time.`, input.by);
	const output = outputTokens === undefined ? undefined : least(right, 'maxOutputTokens');
	if (output && outputTokens! > output.most)
		return refused(
			'output_not_granted',
			`This asks for up to ${outputTokens} output tokens; this key may ask for ${output.most}.`,
			output.by,
		);
	return undefined;
};

const providerOf = (deployment: string): string => deployment.slice(0, deployment.indexOf('/'));

/** Among the deployments planned those whose provider every rule grants. */
const ofProviders = (right: Right, {deployments = [], model = ''}: Question): Decision | undefined => {
	let left: readonly string[] = deployments;
	for (const by of right) {
		const {providers} = by.rule;
		if (providers === undefined || left.length === 0) continue;
		left = left.filter(name => fitsAny(providers, providerOf(name)));
		if (left.length === 0) return refused('provider_not_granted', `No provider of ${quoted(model)} is granted to this key.`, by);
	}
	return left.length === deployments.length ? undefined : {granted: true, plan: [...left]};
};

const ofServer = (right: Right, {server}: Question): Decision | undefined => {
	const by = server === undefined ? undefined : against(right, 'servers', server);
	return by && refused('denied', `The server ${quoted(server!)} is not granted to this key.`, by === 'nobody' ? undefined : by);
};

/** Every rule about a tool that fits has to hold, in every scope. */
const ofArguments = (right: Right, name: string, given: NonNullable<Question['arguments']>): Decision | undefined => {
	for (const by of right) {
		for (const [pattern, rules] of Object.entries(by.rule.arguments ?? {})) {
			if (!fits(pattern, name)) continue;
			for (const [path, rule] of Object.entries(rules)) {
				const why = refusedArgument(given, path, rule);
				if (why !== undefined) return refused('denied', `The argument ${quoted(path)} of ${quoted(name)} ${why}.`, by);
			}
		}
	}
	return undefined;
};

const ofTool = (right: Right, {server, tool, arguments: given}: Question): Decision | undefined => {
	if (tool === undefined) return undefined;
	const name = server === undefined ? tool : `${server}/${tool}`;
	const by = against(right, 'tools', name);
	if (by) return refused('denied', `The tool ${quoted(name)} is not granted to this key.`, by === 'nobody' ? undefined : by);
	return given && ofArguments(right, name, given);
};

const ofPart = (right: Right, {server, prompt, resource}: Question): Decision | undefined => {
	for (const [aspect, part] of [['prompts', prompt] as const, ['resources', resource] as const]) {
		if (part === undefined) continue;
		const name = `${server}/${part}`;
		const by = against(right, aspect, name);
		if (by)
			return refused('denied', `The ${aspect.slice(0, -1)} ${quoted(name)} is not granted to this key.`, by === 'nobody' ? undefined : by);
	}
	return undefined;
};

/** What is asked for, as a rule for tainted sessions names it. */
const named = ({deny}: NonNullable<Rule['whenTainted']>, {server, tool, asked: wanted}: Question): string | undefined => {
	const {tools = [], servers = [], asked: unwanted = []} = deny;
	if (wanted !== undefined) return fitsAny(unwanted, wanted) ? `tool ${quoted(wanted)}` : undefined;
	const name = server === undefined ? tool : `${server}/${tool}`;
	if (tool !== undefined && fitsAny(tools, name!)) return `tool ${quoted(name!)}`;
	return server !== undefined && fitsAny(servers, server) ? `server ${quoted(server)}` : undefined;
};

/** What no session may do that is tainted, whoever grants it. */
const ofTaints = (right: Right, question: Question): Decision | undefined => {
	const {taints = []} = question;
	if (taints.length === 0) return undefined;
	for (const by of right) {
		const {whenTainted} = by.rule;
		const held = whenTainted && taints.filter(name => whenTainted.by?.includes(name) !== false);
		const what = held && held.length > 0 ? named(whenTainted, question) : undefined;
		if (what === undefined) continue;
		const message = `The ${what} is not for a session that is tainted (${held!.join(', ')}).`;
		return {granted: false, code: 'denied', message, by, tainted: held!};
	}
	return undefined;
};

/**
 * The one decision: whether every rule that speaks of what is asked for allows it. Models, servers and what they offer have to be granted
 * by somebody; what is said of providers, operations, tokens and arguments narrows that.
 */
export const decide = (right: Right, question: Question): Decision =>
	ofModel(right, question) ??
	ofOperation(right, question) ??
	ofTokens(right, question) ??
	ofServer(right, question) ??
	ofTool(right, question) ??
	ofPart(right, question) ??
	ofTaints(right, question) ??
	ofProviders(right, question) ?? {granted: true};

/** The aspects of a rule that a question is about. */
export const asked = ({
	model,
	operation,
	deployments,
	inputTokens,
	outputTokens,
	server,
	tool,
	prompt,
	resource,
	arguments: given,
	taints,
}: Question): (keyof Rule)[] => {
	const about: Record<keyof Rule, unknown> = {
		models: model,
		providers: deployments,
		operations: operation,
		maxInputTokens: inputTokens,
		maxOutputTokens: outputTokens,
		servers: server,
		tools: tool,
		prompts: prompt,
		resources: resource,
		arguments: tool !== undefined && given,
		whenTainted: taints,
	};
	return (Object.keys(about) as (keyof Rule)[]).filter(aspect => about[aspect] !== undefined && about[aspect] !== false);
};
