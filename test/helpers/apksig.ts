// SPDX-License-Identifier: Apache-2.0
/** What apksig, the library behind apksigner, says of many files in one process. For tests that `need(t, 'jarsigner', 'apksigner')`. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

export interface ApksigQuestion {
  readonly file: string;
  readonly minSdk: number;
  readonly maxSdk: number;
}

export interface ApksigAnswer {
  readonly byJar: boolean;
  readonly verified: boolean;
  /** Names of its issues; those of signers it ignored begin with `ignored:`. */
  readonly errors: readonly string[];
}

/** A program of one file: `java` compiles it itself. */
const PROGRAM = `
import com.android.apksig.ApkVerifier;
import java.io.File;
import java.util.*;
public class Ask {
  public static void main(String[] arguments) throws Exception {
    Scanner in = new Scanner(System.in, "UTF-8");
    while (in.hasNextLine()) {
      String[] question = in.nextLine().split("\\t");
      StringJoiner errors = new StringJoiner(",");
      boolean byJar = false, verified = false;
      try {
        ApkVerifier.Result result = new ApkVerifier.Builder(new File(question[0]))
            .setMinCheckedPlatformVersion(Integer.parseInt(question[1]))
            .setMaxCheckedPlatformVersion(Integer.parseInt(question[2])).build().verify();
        byJar = result.isVerifiedUsingV1Scheme();
        verified = result.isVerified();
        for (ApkVerifier.IssueWithParams issue : result.getErrors()) errors.add(issue.getIssue().toString());
        for (ApkVerifier.Result.V1SchemeSignerInfo signer : result.getV1SchemeSigners())
          for (ApkVerifier.IssueWithParams issue : signer.getErrors()) errors.add(issue.getIssue().toString());
        for (ApkVerifier.Result.V1SchemeSignerInfo signer : result.getV1SchemeIgnoredSigners())
          for (ApkVerifier.IssueWithParams issue : signer.getErrors()) errors.add("ignored:" + issue.getIssue());
      } catch (Throwable thrown) {
        errors.add("throws:" + thrown.getClass().getSimpleName());
      }
      System.out.println(byJar + "\\t" + verified + "\\t" + errors);
    }
  }
}
`;

export function askApksig(directory: string, questions: readonly ApksigQuestion[]): ApksigAnswer[] {
  const program = path.join(directory, 'Ask.java');
  writeFileSync(program, PROGRAM);
  const input = questions.map(({ file, minSdk, maxSdk }) => `${file}\t${minSdk}\t${maxSdk}\n`).join('');
  const output = execFileSync('java', ['-cp', '/usr/share/java/apksig.jar', program], {
    input,
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 64 << 20,
  }).toString();
  return output
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [byJar, verified, errors = ''] = line.split('\t');
      return {
        byJar: byJar === 'true',
        verified: verified === 'true',
        errors: errors === '' ? [] : errors.split(','),
      };
    });
}
