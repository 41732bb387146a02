import {isObject, type JsonObject} from '../llm/json.ts';
import {prefixedUri} from './names.ts';
import type {Turn} from './turn.ts';

/** At the common door resources go by names that lead back to their server, wherever a result speaks of them. */
const withPrefixes = (value: unknown, server: string): unknown => {
	if (Array.isArray(value)) return value.map(item => withPrefixes(item, server));
	if (!isObject(value)) return value;
	const {type, uri, resource} = value;
	if (type === 'resource_link' && typeof uri === 'string') return {...value, uri: prefixedUri(server, uri)};
	if (type === 'resource' && isObject(resource) && typeof resource.uri === 'string')
		return {...value, resource: {...resource, uri: prefixedUri(server, resource.uri)}};
	return isObject(value.content) ? {...value, content: withPrefixes(value.content, server)} : value;
};

/** A result as it stands at the door that it goes out of. */
export const atDoor = ({door, exchange}: Turn, result: JsonObject): JsonObject => {
	const {server} = exchange;
	if (door !== undefined || server === undefined) return result;
	const {contents, content, messages} = result;
	return {
		...result,
		...(Array.isArray(contents) && {
			contents: contents.map(item =>
				isObject(item) && typeof item.uri === 'string' ? {...item, uri: prefixedUri(server, item.uri)} : item,
			),
		}),
		...(Array.isArray(content) && {content: withPrefixes(content, server)}),
		...(Array.isArray(messages) && {messages: withPrefixes(messages, server)}),
	};
};
