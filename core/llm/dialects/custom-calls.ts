import {GatewayError} from '../../errors.ts';
import type {JsonObject} from '../json.ts';

/** What a custom tool of OpenAI is given, which may be any text, as arguments that plugins read: `{input}`. */
export const inputAsArguments = (input: string): string => JSON.stringify({input});

/** The text of such arguments. Throws `plugin_failed` where a plugin has made something else of them. */
export const inputOfArguments = (args: JsonObject): string => {
	if (typeof args.input === 'string') return args.input;
	throw new GatewayError('plugin_failed', 'A plugin gave a custom tool arguments that are not {input: text}.');
};
