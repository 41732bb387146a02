import {type Fields, fieldsOf, listOf, stringOf} from './json.ts';

const formats: {[format: string]: string} = {
	'date-time': '2026-01-01T00:00:00Z',
	date: '2026-01-01',
	time: '00:00:00Z',
	email: 'ada@example.com',
	uri: 'https://example.com/',
	url: 'https://example.com/',
	uuid: '00000000-0000-4000-8000-000000000000',
	ipv4: '192.0.2.1',
};

const text = (schema: Fields, name: string): string => {
	const least = typeof schema.minLength === 'number' ? Math.min(1000, schema.minLength) : 0;
	const most = typeof schema.maxLength === 'number' ? schema.maxLength : Infinity;
	return (formats[stringOf(schema.format)] ?? name).padEnd(least, 'x').slice(0, most);
};

const number = (schema: Fields): number => {
	if (typeof schema.minimum === 'number') return schema.minimum;
	if (typeof schema.exclusiveMinimum === 'number') return schema.exclusiveMinimum + 1;
	return typeof schema.maximum === 'number' ? Math.min(1, schema.maximum) : 1;
};

const typeOf = (schema: Fields): string => {
	const type = Array.isArray(schema.type) ? schema.type.find(each => each !== 'null') : schema.type;
	return stringOf(type) || (schema.properties ? 'object' : schema.items ? 'array' : 'string');
};

/** A value that fits a JSON Schema: the same one each time, made of its own words (const, enum, default, names of properties). */
export const sampleOf = (schema: unknown, name = 'value', root: unknown = schema, depth = 0): unknown => {
	const fields = fieldsOf(schema);
	if ('const' in fields) return fields.const;
	if ('default' in fields) return fields.default;
	const written = listOf(fields.enum)[0] ?? listOf(fields.examples)[0];
	if (written !== undefined) return written;
	if (depth > 8) return null;

	const within = (part: unknown, partName: string) => sampleOf(part, partName, root, depth + 1);
	if (typeof fields.$ref === 'string') {
		const steps = fields.$ref.split('/').slice(1);
		return within(
			steps.reduce<unknown>((from, step) => fieldsOf(from)[step], root),
			name,
		);
	}
	const choice = listOf(fields.anyOf)[0] ?? listOf(fields.oneOf)[0] ?? listOf(fields.allOf)[0];
	if (choice !== undefined) return within(choice, name);

	switch (typeOf(fields)) {
		case 'object':
			return Object.fromEntries(Object.entries(fieldsOf(fields.properties)).map(([key, part]) => [key, within(part, key)]));
		case 'array':
			return Array.from({length: Math.min(10, Math.max(1, Number(fields.minItems ?? 1)))}, () => within(fields.items, name));
		case 'integer':
		case 'number':
			return number(fields);
		case 'boolean':
			return true;
		case 'null':
			return null;
		default:
			return text(fields, name);
	}
};
