/* Fuzz target: any bytes as the MANIFEST of a folder with one file. */
#include "nn/ckpt.h"
#include <fcntl.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static char dir[] = "/tmp/lm-fuzz-manifest.XXXXXX";

static void gone(void)
{
    lm_rmtree(dir);
}

static void put(const char *name, const void *p, size_t n)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || lm_write_all(fd, p, n) || close(fd))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static bool made;

    if (!made) {
        if (!mkdtemp(dir))
            abort();
        atexit(gone);
        put("config.json", "{}\n", 3);
        made = true;
    }
    put("MANIFEST", p, n);
    if (lm_manifest_check(dir) >= 0 && n > 0 && !memmem(p, n, "config.json", 11))
        abort();
    return 0;
}
