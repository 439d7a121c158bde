// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A library that is loaded before a program and shifts the clock it sees, by the seconds in `CHAOS_CLOCK_SHIFT`. What programs
/// measure spans by stays as it is. Compiled where it is needed: a C compiler comes with Swift.
enum ChaosShim {
    static let variable = "CHAOS_CLOCK_SHIFT"

    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdlib.h>
        #include <sys/time.h>
        #include <time.h>

        static long shift(void) {
            const char *text = getenv("CHAOS_CLOCK_SHIFT");
            return text ? atol(text) : 0;
        }
        int clock_gettime(clockid_t clock, struct timespec *out) {
            static int (*next)(clockid_t, struct timespec *);
            if (!next) next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
            int result = next(clock, out);
            if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) out->tv_sec += shift();
            return result;
        }
        int gettimeofday(struct timeval *restrict out, void *restrict zone) {
            struct timespec now;
            (void)zone;
            if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
            out->tv_sec = now.tv_sec;
            out->tv_usec = now.tv_nsec / 1000;
            return 0;
        }
        time_t time(time_t *out) {
            struct timespec now;
            if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
            if (out) *out = now.tv_sec;
            return now.tv_sec;
        }

        """

    /// - Parameter folder: where it is put; whoever loads it has to reach it there.
    /// - Returns: the library's path; `nil` where there is no compiler.
    static func make(in folder: String) -> String? {
        let (text, library) = (folder + "/clock.c", folder + "/clock.so")
        let compilers = ["/usr/bin/cc", "/usr/bin/clang", "/usr/bin/gcc"] + path().map { $0 + "/clang" }
        guard let compiler = compilers.first(where: { access($0, X_OK) == 0 }),
            let file = try? FileOutput(replacing: text), (try? file.write(source.utf8)) != nil,
            (try? file.finish()) != nil,
            let (code, _) = try? ChildProcess.run(
                compiler, ["-shared", "-fPIC", "-O1", "-o", library, text, "-ldl"]),
            code == 0
        else { return nil }
        return library
    }

    private static func path() -> [String] {
        guard let text = getenv("PATH") else { return [] }
        return String(cString: text).split(separator: ":").map(String.init)
    }
}
