import type {IncomingHttpHeaders} from 'node:http';
import {isObject, type JsonObject} from '../llm/json.ts';
import {decodeHeader, nameHeaderOf} from './headers.ts';
import {RpcError, rpcCodes} from './rpc.ts';
import {isLegacy, legacyVersions, metaKeys, statelessVersion} from './versions.ts';

const metaOf = (params: JsonObject): JsonObject => (isObject(params._meta) ? params._meta : {});

/** Whether a message is of the stateless era: its body says so, or the header names a version that is of no other. */
export const isStateless = (params: JsonObject, headers: IncomingHttpHeaders): boolean => {
	if (metaOf(params)[metaKeys.version] !== undefined) return true;
	const version = headers['mcp-protocol-version'];
	return typeof version === 'string' && !isLegacy(version) && version >= statelessVersion;
};

const mismatch = (message: string): RpcError => new RpcError(rpcCodes.headerMismatch, message, {status: 400});

const headerOf = (headers: IncomingHttpHeaders, name: string): string => {
	const value = headers[name];
	const decoded = typeof value === 'string' ? decodeHeader(value) : undefined;
	if (decoded === undefined) throw mismatch(`The header ${name} is missing, or not validly encoded.`);
	return decoded;
};

/**
 * What a request of the stateless era has to say of itself, in its body, and again in its headers (2026-07-28, Streamable HTTP). Decisions
 * are made on the body alone. Throws -32602, -32020 or -32022, all with status 400.
 */
export const checkStateless = (method: string, params: JsonObject, headers: IncomingHttpHeaders): void => {
	const meta = metaOf(params);
	const version = meta[metaKeys.version];
	if (typeof version !== 'string') throw new RpcError(rpcCodes.invalidParams, `_meta["${metaKeys.version}"] is missing.`, {status: 400});
	if (headerOf(headers, 'mcp-protocol-version') !== version)
		throw mismatch('The header MCP-Protocol-Version says something else than the body.');
	if (version !== statelessVersion) {
		const data = {supported: [statelessVersion, ...legacyVersions], requested: version};
		throw new RpcError(rpcCodes.unsupportedVersion, `Unsupported protocol version: ${version.slice(0, 50)}`, {data, status: 400});
	}
	if (!isObject(meta[metaKeys.capabilities]))
		throw new RpcError(rpcCodes.invalidParams, `_meta["${metaKeys.capabilities}"] is missing.`, {status: 400});
	if (headerOf(headers, 'mcp-method') !== method) throw mismatch('The header Mcp-Method says something else than the body.');
	const name = nameHeaderOf(method, params);
	if (name !== undefined && headerOf(headers, 'mcp-name') !== name)
		throw mismatch('The header Mcp-Name says something else than the body.');
};
