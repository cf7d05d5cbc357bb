#define _GNU_SOURCE 1
#include "SwiftRuntime.h"
#include <link.h>

struct visitor {
    void (*visit)(void *context, clinux_segment segment);
    void *context;
    int image;
};

static int visit_image(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    struct visitor *visitor = context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD && header->p_type != PT_NOTE) continue;
        if (!(header->p_flags & PF_R)) continue;
        visitor->visit(visitor->context, (clinux_segment){
            .base = info->dlpi_addr,
            .start = info->dlpi_addr + header->p_vaddr,
            // Not p_memsz: the zeroed memory behind it holds nothing that was linked. The Swift
            // runtime makes its first metadata and witness tables there, in any order.
            .size = header->p_filesz,
            .image = visitor->image,
            .is_note = header->p_type == PT_NOTE,
            .is_executable = (header->p_flags & PF_X) != 0,
        });
    }
    visitor->image++;
    return 0;
}

void clinux_visit_segments(void (*visit)(void *context, clinux_segment segment), void *context) {
    struct visitor visitor = {visit, context, 0};
    dl_iterate_phdr(visit_image, &visitor);
}
