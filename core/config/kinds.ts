/** What zod calls the kinds of values, in our words. */
export const kinds: Readonly<Record<string, string>> = {
	object: 'an object',
	record: 'an object',
	array: 'a list',
	int: 'a whole number',
	number: 'a number',
	string: 'a string',
	boolean: 'true or false',
	undefined: 'nothing',
	null: 'null',
};

type Issue = {path: readonly PropertyKey[]; message: string};

/** What zod says of a value, in few words that name its field: `limitUsd: is missing, and must be a number`. */
export const issueWords = ({path, message}: Issue): string => {
	const [, expected = '', received = ''] = /^Invalid input: expected (\w+), received (\w+)$/.exec(message) ?? [];
	const [, choices] = /^Invalid option: expected one of (.+)$/.exec(message) ?? [];
	const wanted = `must be ${kinds[expected] ?? expected}`;
	const wrong = received === 'undefined' ? `is missing, and ${wanted}` : `${wanted}, not ${kinds[received] ?? received}`;
	const other = choices === undefined ? message : `must be one of ${choices.replaceAll('"', '').split('|').join(', ')}`;
	return `${path.map(String).join('.') || 'input'}: ${expected === '' ? other : wrong}`;
};
