// SPDX-License-Identifier: Apache-2.0
/** Source stamps and v4 signatures by apksig: a Java program of one file, which `java` compiles itself. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SigningKey } from './apksigner.js';

export interface StampSignJob {
  readonly kind: 'sign';
  readonly from: string;
  readonly to: string;
  readonly minSdk: number;
  /** Of 1, 2 and 3. */
  readonly schemes: readonly number[];
  /** Several took turns, the newest from SDK 33 on; that takes version 35 of the library. */
  readonly keys: readonly SigningKey[];
  /** Oldest first; RSA, which apksig takes for granted. */
  readonly stamp?: readonly SigningKey[];
  readonly idsig?: string;
}

export interface StampVerifyJob {
  readonly kind: 'verify';
  readonly file: string;
  readonly idsig?: string;
  /** Of a version 1 stamp: content of the stamp entry, the v2 digest, and the pair. */
  readonly first?: { readonly entry: Buffer; readonly digest: Buffer; readonly block: Buffer };
}

/** A version 1 block over this v2 digest. */
export interface StampBlockJob {
  readonly kind: 'block';
  readonly stamp: SigningKey;
  readonly digest: Buffer;
}

const PROGRAM = `
import com.android.apksig.*;
import com.android.apksig.internal.apk.*;
import com.android.apksig.internal.apk.stamp.*;
import java.io.*;
import java.nio.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.*;
import java.util.*;

public class Stamps {
  static X509Certificate certificate(String file) throws Exception {
    try (InputStream in = new FileInputStream(file)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  static PrivateKey key(String file, X509Certificate certificate) throws Exception {
    return KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm())
        .generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Paths.get(file))));
  }

  static class Keys {
    final List<ApkSigner.SignerConfig> signers = new ArrayList<>();
    SigningCertificateLineage lineage;

    Keys(String list) throws Exception {
      SigningCertificateLineage.SignerConfig before = null;
      for (String pair : list.split(";")) {
        String[] files = pair.split(":");
        X509Certificate certificate = certificate(files[1]);
        PrivateKey key = key(files[0], certificate);
        signers.add(new ApkSigner.SignerConfig.Builder("APP" + (signers.isEmpty() ? "" : signers.size()), key, Collections.singletonList(certificate)).build());
        SigningCertificateLineage.SignerConfig own = new SigningCertificateLineage.SignerConfig.Builder(key, certificate).build();
        if (before != null)
          lineage = lineage == null ? new SigningCertificateLineage.Builder(before, own).build() : lineage.spawnDescendant(before, own);
        before = own;
      }
    }
  }

  static String sign(String[] job) throws Exception {
    Keys keys = new Keys(job[5]);
    ApkSigner.Builder builder = new ApkSigner.Builder(keys.signers)
        .setInputApk(new File(job[1])).setOutputApk(new File(job[2])).setMinSdkVersion(Integer.parseInt(job[3]))
        .setV1SigningEnabled(job[4].contains("1")).setV2SigningEnabled(job[4].contains("2"))
        .setV3SigningEnabled(job[4].contains("3")).setV4SigningEnabled(!job[7].equals("-"))
        .setOtherSignersSignaturesPreserved(false);
    if (!job[7].equals("-")) builder.setV4SignatureOutputFile(new File(job[7]));
    if (keys.lineage != null) {
      builder.setSigningCertificateLineage(keys.lineage);
      ApkSigner.Builder.class.getMethod("setMinSdkVersionForRotation", int.class).invoke(builder, 33);
    }
    if (!job[6].equals("-")) {
      Keys stamp = new Keys(job[6]);
      builder.setSourceStampSignerConfig(stamp.signers.get(stamp.signers.size() - 1));
      if (stamp.lineage != null) builder.setSourceStampSigningCertificateLineage(stamp.lineage);
    }
    builder.build().sign();
    return "true";
  }

  static String verify(String[] job) throws Exception {
    File file = new File(job[1]);
    boolean stamp = job[3].equals("-")
        ? new ApkVerifier.Builder(file).build().verifySourceStamp().isVerified()
        : first(bytes(job[3]), bytes(job[4]), bytes(job[5]));
    if (job[2].equals("-")) return stamp + "\\tfalse";
    ApkVerifier.Result result = new ApkVerifier.Builder(file).setV4SignatureFile(new File(job[2])).build().verify();
    return stamp + "\\t" + (result.isVerified() && result.isVerifiedUsingV4Scheme());
  }

  /** The class that reads whole files drops what it finds about the signer. */
  static boolean first(byte[] entry, byte[] digest, byte[] block) throws Exception {
    ApkSignerInfo signer = new ApkSignerInfo();
    ByteBuffer data = ApkSigningBlockUtils.getLengthPrefixedSlice(ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN));
    ByteBuffer signed = ByteBuffer.allocate(12 + digest.length).order(ByteOrder.LITTLE_ENDIAN);
    signed.putInt(8 + digest.length).putInt(1).putInt(digest.length).put(digest);
    java.lang.reflect.Method check = Class.forName("com.android.apksig.internal.apk.stamp.SourceStampVerifier")
        .getMethod("verifyV1SourceStamp", ByteBuffer.class, CertificateFactory.class, ApkSignerInfo.class,
            byte[].class, byte[].class, int.class, int.class);
    check.setAccessible(true);
    check.invoke(null, data, CertificateFactory.getInstance("X.509"), signer, signed.array(), entry, 24, Integer.MAX_VALUE);
    return !signer.containsErrors() && !signer.containsWarnings();
  }

  static byte[] bytes(String hex) {
    byte[] bytes = new byte[hex.length() / 2];
    for (int at = 0; at < bytes.length; at++) bytes[at] = (byte) Integer.parseInt(hex.substring(2 * at, 2 * at + 2), 16);
    return bytes;
  }

  static String block(String[] job) throws Exception {
    X509Certificate certificate = certificate(job[2]);
    ApkSigningBlockUtils.SignerConfig config = new ApkSigningBlockUtils.SignerConfig();
    config.privateKey = key(job[1], certificate);
    config.certificates = Collections.singletonList(certificate);
    config.signatureAlgorithms = Collections.singletonList(SignatureAlgorithm.RSA_PKCS1_V1_5_WITH_SHA256);
    byte[] block = V1SourceStampSigner.generateSourceStampBlock(
        config, Collections.singletonMap(ContentDigestAlgorithm.CHUNKED_SHA256, bytes(job[3]))).getFirst();
    StringBuilder text = new StringBuilder();
    for (byte one : block) text.append(String.format("%02x", one));
    return text.toString();
  }

  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    PrintStream out = System.out;
    System.setOut(System.err);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] job = line.split("\\t");
      try {
        out.println(job[0].equals("sign") ? sign(job) : job[0].equals("block") ? block(job) : verify(job));
      } catch (Throwable thrown) {
        out.println("throws " + String.valueOf(thrown).replaceAll("\\\\s+", " "));
      }
    }
    out.flush();
  }
}
`;

/** `jar`: the library. One line of answer a job: a verification gives `stamp<TAB>v4`, a block its bytes in hex. */
export function runStamps(
  jar: string,
  directory: string,
  jobs: readonly (StampSignJob | StampVerifyJob | StampBlockJob)[],
): string[] {
  const program = path.join(directory, 'Stamps.java');
  writeFileSync(program, PROGRAM);
  return execFileSync('java', ['-XX:TieredStopAtLevel=1', '-cp', jar, program], {
    input: jobs.map((job) => `${lineOf(job).join('\t')}\n`).join(''),
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 64 << 20,
  })
    .toString()
    .trimEnd()
    .split('\n');
}

const listOf = (keys: readonly SigningKey[]): string =>
  keys.map(({ key, certificate }) => `${key}:${certificate}`).join(';');

function lineOf(job: StampSignJob | StampVerifyJob | StampBlockJob): string[] {
  switch (job.kind) {
    case 'sign':
      return [
        'sign',
        job.from,
        job.to,
        String(job.minSdk),
        job.schemes.join(''),
        listOf(job.keys),
        job.stamp === undefined ? '-' : listOf(job.stamp),
        job.idsig ?? '-',
      ];
    case 'verify':
      return [
        'verify',
        job.file,
        job.idsig ?? '-',
        job.first?.entry.toString('hex') ?? '-',
        job.first?.digest.toString('hex') ?? '-',
        job.first?.block.toString('hex') ?? '-',
      ];
    case 'block':
      return ['block', job.stamp.key, job.stamp.certificate, job.digest.toString('hex')];
  }
}
