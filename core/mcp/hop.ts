import {isObject, type JsonObject} from '../llm/json.ts';
import {encodeHeader, nameHeaderOf, paramHeaders} from './headers.ts';
import {metaKeys, ourselves, statelessVersion} from './versions.ts';

/** The parameters of a request as a server of 2026-07-28 wants them: who asks, and what they offer, each time anew. */
export const stamp = (
	params: JsonObject,
	{capabilities = {}, logLevel}: {capabilities?: JsonObject; logLevel?: string} = {},
): JsonObject => ({
	...params,
	_meta: {
		...(params._meta as JsonObject | undefined),
		[metaKeys.version]: statelessVersion,
		[metaKeys.capabilities]: capabilities,
		[metaKeys.clientInfo]: ourselves,
		...(logLevel !== undefined && {[metaKeys.logLevel]: logLevel}),
	},
});

/** The headers that repeat what such a request says. */
export const statelessHeaders = (method: string, params: JsonObject, definition?: JsonObject): Record<string, string> => {
	const named = nameHeaderOf(method, params);
	return {
		'mcp-protocol-version': statelessVersion,
		'mcp-method': method,
		...(named !== undefined && {'mcp-name': encodeHeader(named)}),
		...(definition && paramHeaders(definition, isObject(params.arguments) ? params.arguments : {})),
	};
};
