// SPDX-License-Identifier: Apache-2.0
/** Many files signed and verified by apksig in one process: a Java program of one file, which `java` compiles itself. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

export interface SignJob {
  readonly kind: 'sign';
  readonly from: string;
  readonly to: string;
  readonly minSdk: number;
  /** Of 1, 2 and 3. */
  readonly schemes: readonly number[];
  /** PKCS #8 and certificate; several with `lineage` took turns, oldest first. */
  readonly keys: readonly { readonly key: string; readonly certificate: string }[];
  readonly lineage?: boolean;
  /** First version of Android that sees the newest key. */
  readonly rotationMinSdk?: number;
  readonly development?: boolean;
  readonly verity?: boolean;
  /** Of stored libraries, for 35 and later. */
  readonly libraryAlignment?: number;
}

export interface VerifyJob {
  readonly kind: 'verify';
  readonly file: string;
  readonly minSdk: number;
  readonly maxSdk: number;
}

export interface Answer {
  readonly verified: boolean;
  /** Those that verified, e.g. `v2`. */
  readonly schemes: readonly string[];
  /** SHA-256 of the certificates that it prints. */
  readonly signers: readonly string[];
  /** Names of its issues; of a job that threw, why. */
  readonly errors: readonly string[];
}

const PROGRAM = `
import com.android.apksig.*;
import com.android.apksig.ApkVerifier.IssueWithParams;
import java.io.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.*;
import java.util.*;

public class Driver {
  /** Java has the algorithm by another name than Android. */
  static class Pss extends Provider {
    Pss() {
      super("Pss", "1", "");
      for (String digest : new String[] {"SHA256", "SHA512"})
        put("Signature." + digest + "withRSA/PSS", "sun.security.rsa.RSAPSSSignature");
    }
  }

  static final CertificateFactory CERTIFICATES = certificates();
  static final Map<String, PrivateKey> KEYS = new HashMap<>();

  static CertificateFactory certificates() {
    try { return CertificateFactory.getInstance("X.509"); } catch (Exception e) { throw new RuntimeException(e); }
  }

  static X509Certificate certificate(String file) throws Exception {
    try (InputStream in = new FileInputStream(file)) {
      return (X509Certificate) CERTIFICATES.generateCertificate(in);
    }
  }

  static PrivateKey key(String file, String algorithm) throws Exception {
    PrivateKey known = KEYS.get(file);
    if (known != null) return known;
    PrivateKey key = KeyFactory.getInstance(algorithm)
        .generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Paths.get(file))));
    KEYS.put(file, key);
    return key;
  }

  static void sign(String[] job) throws Exception {
    int minSdk = Integer.parseInt(job[3]);
    String schemes = job[4];
    List<ApkSigner.SignerConfig> signers = new ArrayList<>();
    SigningCertificateLineage lineage = null;
    SigningCertificateLineage.SignerConfig before = null;
    for (int at = 10; at + 1 < job.length; at += 2) {
      X509Certificate certificate = certificate(job[at + 1]);
      PrivateKey key = key(job[at], certificate.getPublicKey().getAlgorithm());
      signers.add(new ApkSigner.SignerConfig.Builder("K" + at, key, Collections.singletonList(certificate)).build());
      SigningCertificateLineage.SignerConfig own = new SigningCertificateLineage.SignerConfig.Builder(key, certificate).build();
      if (before != null)
        lineage = lineage == null ? new SigningCertificateLineage.Builder(before, own).build()
                                  : lineage.spawnDescendant(before, own);
      before = own;
    }
    ApkSigner.Builder builder = new ApkSigner.Builder(signers)
        .setInputApk(new File(job[1])).setOutputApk(new File(job[2])).setMinSdkVersion(minSdk)
        .setV1SigningEnabled(schemes.contains("1")).setV2SigningEnabled(schemes.contains("2"))
        .setV3SigningEnabled(schemes.contains("3")).setV4SigningEnabled(false)
        .setVerityEnabled(job[7].equals("true")).setOtherSignersSignaturesPreserved(false);
    if (job[8].equals("true")) builder.setSigningCertificateLineage(lineage);
    // newer than 31
    if (!job[5].equals("0"))
      ApkSigner.Builder.class.getMethod("setMinSdkVersionForRotation", int.class).invoke(builder, Integer.parseInt(job[5]));
    if (job[6].equals("true"))
      ApkSigner.Builder.class.getMethod("setRotationTargetsDevRelease", boolean.class).invoke(builder, true);
    if (!job[9].equals("0"))
      ApkSigner.Builder.class.getMethod("setLibraryPageAlignmentBytes", int.class).invoke(builder, Integer.parseInt(job[9]));
    builder.build().sign();
  }

  static void collect(Set<String> errors, List<IssueWithParams> issues) {
    for (IssueWithParams issue : issues) errors.add(issue.getIssue().toString());
  }

  static String verify(String[] job) throws Exception {
    ApkVerifier.Result result = new ApkVerifier.Builder(new File(job[1]))
        .setMinCheckedPlatformVersion(Integer.parseInt(job[2]))
        .setMaxCheckedPlatformVersion(Integer.parseInt(job[3])).build().verify();
    Set<String> errors = new TreeSet<>();
    collect(errors, result.getErrors());
    for (ApkVerifier.Result.V1SchemeSignerInfo signer : result.getV1SchemeSigners()) collect(errors, signer.getErrors());
    for (ApkVerifier.Result.V2SchemeSignerInfo signer : result.getV2SchemeSigners()) collect(errors, signer.getErrors());
    for (ApkVerifier.Result.V3SchemeSignerInfo signer : result.getV3SchemeSigners()) collect(errors, signer.getErrors());
    List<String> schemes = new ArrayList<>(), signers = new ArrayList<>();
    if (result.isVerifiedUsingV1Scheme()) schemes.add("v1");
    if (result.isVerifiedUsingV2Scheme()) schemes.add("v2");
    if (result.isVerifiedUsingV3Scheme()) schemes.add("v3");
    try {
      if ((Boolean) ApkVerifier.Result.class.getMethod("isVerifiedUsingV31Scheme").invoke(result)) schemes.add("v3.1");
    } catch (NoSuchMethodException older) { }
    for (X509Certificate certificate : result.getSignerCertificates())
      signers.add(hex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded())));
    Collections.sort(signers);
    return result.isVerified() + "\\t" + String.join(",", schemes) + "\\t" + String.join(",", signers) + "\\t" + String.join(",", errors);
  }

  static String hex(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte one : bytes) text.append(String.format("%02x", one));
    return text.toString();
  }

  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    Security.addProvider(new Pss());
    PrintStream out = System.out;
    System.setOut(System.err);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] job = line.split("\\t");
      String answer;
      try {
        if (job[0].equals("sign")) { sign(job); answer = "true\\t\\t\\t"; }
        else answer = verify(job);
      } catch (Throwable thrown) {
        answer = "false\\t\\t\\t" + thrown.getClass().getSimpleName() + ": " + String.valueOf(thrown.getMessage()).replaceAll("[\\\\s,]+", " ");
      }
      out.println(answer);
    }
    out.flush();
  }
}
`;

/** `jar`: the library; 31 signs no v3.1. One answer a job, in their order. */
export function runApksig(jar: string, directory: string, jobs: readonly (SignJob | VerifyJob)[]): Answer[] {
  if (jobs.length === 0) return [];
  const program = path.join(directory, 'Driver.java');
  writeFileSync(program, PROGRAM);
  const output = execFileSync('java', ['-XX:TieredStopAtLevel=1', '-cp', jar, program], {
    input: jobs.map((job) => `${lineOf(job)}\n`).join(''),
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 64 << 20,
  }).toString();
  const answers = output
    .trimEnd()
    .split('\n')
    .map((line): Answer => {
      const [verified, schemes = '', signers = '', errors = ''] = line.split('\t');
      const list = (text: string): string[] => (text === '' ? [] : text.split(','));
      return {
        verified: verified === 'true',
        schemes: list(schemes),
        signers: list(signers),
        errors: list(errors),
      };
    });
  if (answers.length !== jobs.length)
    throw new Error(`apksig: ${answers.length} answers to ${jobs.length} questions`);
  return answers;
}

function lineOf(job: SignJob | VerifyJob): string {
  if (job.kind === 'verify') return ['verify', job.file, job.minSdk, job.maxSdk].join('\t');
  return [
    'sign',
    job.from,
    job.to,
    job.minSdk,
    job.schemes.join(''),
    job.rotationMinSdk ?? 0,
    job.development === true,
    job.verity === true,
    job.lineage === true,
    job.libraryAlignment ?? 0,
    ...job.keys.flatMap(({ key, certificate }) => [key, certificate]),
  ].join('\t');
}
