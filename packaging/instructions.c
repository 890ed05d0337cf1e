/* Counts the instructions that a program runs under qemu's user-mode emulation: a number of 8 bytes in the file
 * that the variable INSTRUCTIONS names, which can be read while the program runs.
 *
 *   cc -O1 -shared -fPIC -o target/instructions.so packaging/instructions.c
 *   INSTRUCTIONS=target/instructions qemu-arm -cpu arm1176 -plugin target/instructions.so PROGRAM ...
 *   od -An -tu8 -N8 target/instructions
 *
 * The few declarations are those of qemu-plugin.h (version 1), which Debian does not ship. */

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct block;
extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t, void (*)(uint64_t, struct block *));
extern size_t qemu_plugin_tb_n_insns(const struct block *);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct block *, int, void *, uint64_t);

enum { ADD = 0 };
static uint64_t *count;

int qemu_plugin_version = 1;

static void translated(uint64_t id, struct block *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD, count, qemu_plugin_tb_n_insns(block));
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    (void)info, (void)argc, (void)argv;
    const char *name = getenv("INSTRUCTIONS");
    int file = name ? open(name, O_RDWR | O_CREAT, 0600) : -1;
    if (file < 0 || ftruncate(file, sizeof *count) != 0)
        return 1;
    count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (count == MAP_FAILED)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
