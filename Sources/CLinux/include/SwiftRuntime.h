// What rebuilding closures needs and Swift has no name for: two entry points of the Swift runtime, and the loaded images.
#ifndef CLINUX_SWIFT_RUNTIME_H
#define CLINUX_SWIFT_RUNTIME_H
#include <stddef.h>
#include <stdint.h>

/// A new object with a reference count of one and its content uninitialised.
extern void *_Nonnull swift_allocObject(
    const void *_Nonnull metadata, size_t size, size_t alignment_mask);

/// The witness table of the type's conformance to the protocol, or null.
extern const void *_Nullable swift_conformsToProtocol(
    const void *_Nonnull type_metadata, const void *_Nonnull protocol_descriptor);

/// A readable piece of a loaded image.
typedef struct clinux_segment {
    uintptr_t base;   // what the loader added to the image's addresses
    uintptr_t start;
    size_t size;
    int image;        // 0 is the executable
    int is_note;      // a PT_NOTE, else a PT_LOAD
    int is_executable;
} clinux_segment;

/// Calls `visit` for each segment of each image, image by image.
void clinux_visit_segments(
    void (*_Nonnull visit)(void *_Nonnull context, clinux_segment segment), void *_Nonnull context);

#endif
