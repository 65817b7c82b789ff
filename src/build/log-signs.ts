// SPDX-License-Identifier: Apache-2.0
/**
 * What a line of a build log says about our side: a full disk, a killed program, a host that does not resolve, the status
 * of a server. The words are those of apt, curl, wget, git, Gradle, Maven, npm, pip, cargo, Go, gcc, make and the kernel.
 * The log is the build's own text and may say anything: a sign can only turn a failure away from the publisher, never
 * make a success or a verdict.
 */

export type LogSign =
  | { readonly kind: 'disk-full' }
  | { readonly kind: 'out-of-memory' }
  | { readonly kind: 'unreachable'; readonly what: string }
  /** A server's certificate: an old image, a clock, a proxy in between. */
  | { readonly kind: 'untrusted' }
  /** `url` is undefined where the program does not say it. */
  | { readonly kind: 'status'; readonly status: number; readonly url: string | undefined };

/** Of the lines before: programs name the address first and the status later. */
export interface LineContext {
  /** Address of the last few lines. */
  readonly url: string | undefined;
  readonly previous: string;
}

const URL_PATTERN = /\b(?:https?|ftp):\/\/[^\s'"`<>()[\],]+/;

/** The first address of a line, without the punctuation of its sentence. */
export function urlIn(line: string): string | undefined {
  return URL_PATTERN.exec(line)?.[0].replace(/[.:;!?]+$/, '');
}

const DISK_FULL =
  /No space left on device|\bENOSPC\b|Disk quota exceeded|not enough free (?:disk )?space|You don't have enough free space/i;

/** `Killed` alone on a line is what a shell says of a child; the others name the compiler. */
const KILLED =
  /^Killed$|Killed signal terminated program|\*\*\* \[[^\]]*\] Killed|signal: 9, SIGKILL|std::bad_alloc|virtual memory exhausted|Cannot allocate memory|\bENOMEM\b|java\.lang\.OutOfMemoryError|There is insufficient memory for the Java Runtime|Gradle build daemon disappeared unexpectedly|out of memory allocating|JavaScript heap out of memory/;

const UNREACHABLE: readonly RegExp[] = [
  /Could not resolve host(?:name)?:? '?([\w.-]+)/i,
  /Could not resolve '([^']+)'/,
  /Temporary failure resolving '([^']+)'/,
  /unable to resolve host address [‘'"]?([\w.-]+)/i,
  /UnknownHostException: ([\w.-]+)/,
  /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/,
  /dial tcp: lookup ([\w.-]+)/,
  /failed to lookup address information/,
  /(?:Temporary failure in name resolution|Name or service not known|Network is unreachable|No route to host)/,
  /curl: \((?:6|7|28|35|52|55|56|92)\) (.*)/,
  /Failed to connect to ([\w.-]+) port/,
  /Could not connect to ([\w.-]+)/,
  /(?:fatal|error): unable to access '([^']+)'/,
  /SocketTimeoutException|ConnectTimeoutException|SSLHandshakeException/,
];

const UNTRUSTED =
  /PKIX path (?:building|validation) failed|SSL certificate problem|certificate verify failed|server certificate verification failed|x509: certificate (?:signed by unknown authority|has expired)|self[- ]signed certificate|unable to get local issuer certificate|Certificate verification failed: /i;

/** Each captures the status, which some programs only write beside words. */
const STATUS: readonly RegExp[] = [
  /The requested URL returned error: (\d{3})/,
  /[Rr]eceived status code (\d{3})/,
  /^\s{1,4}(\d{3}) {1,2}[A-Z][\w ]+\[IP: /,
  /^E: Failed to fetch \S+\s+(\d{3})\b/,
  /awaiting response\.\.\. (\d{3})\b/,
  /\bERROR (\d{3}): /,
  /\bHTTP error (\d{3})\b/i,
  /\b(\d{3}) (?:Client|Server) Error: /,
  /\bnpm (?:ERR!|error) (?:code E)?(\d{3})\b/,
  /got (\d{3})$/,
  /\bHTTP(?:\/[\d.]+)?(?: status(?: code)?:?| response code:?)? (\d{3})\b/i,
  /\bstatus(?: code)?:? (\d{3})\b/i,
  /: (\d{3}) (?:Not Found|Gone|Too Many Requests|Bad Gateway|Service Unavailable|Internal Server Error|Gateway Time-?out)/,
];

function statusOf(line: string): number | undefined {
  for (const pattern of STATUS) {
    const status = Number(pattern.exec(line)?.[1] ?? Number.NaN);
    if (status === 404 || status === 410 || status === 429 || (status >= 500 && status < 600)) return status;
  }
  if (/\btoo ?many ?requests\b/i.test(line)) return 429;
  return undefined;
}

/** Why one line is a sign of our side or of a server, if it is one. */
export function signOf(line: string, context: LineContext): LogSign | undefined {
  if (DISK_FULL.test(line)) return { kind: 'disk-full' };
  if (KILLED.test(line)) return { kind: 'out-of-memory' };
  const status = statusOf(line);
  // apt goes on after what it ignores (`Ign:`), such as a translation that the archive does not have
  if (status !== undefined && !context.previous.startsWith('Ign:'))
    return { kind: 'status', status, url: urlIn(line) ?? context.url };
  if (UNTRUSTED.test(line)) return { kind: 'untrusted' };
  for (const pattern of UNREACHABLE) {
    const match = pattern.exec(line);
    if (match !== null) return { kind: 'unreachable', what: match[1] ?? line.trim() };
  }
  return undefined;
}
