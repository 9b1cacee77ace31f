"""SIMD vectors of four doubles as values of compiled code, for loops that are vectorised by hand.

Numba's loop vectoriser makes horizontal sums and scalar remainders of the short rows of a cluster of atoms, which
cost more than the arithmetic. A ``Lanes`` value is an LLVM vector: ``+ - * /`` work on it, with floats too, and LLVM
turns it into whatever registers the processor has. Nothing here is cached on its own: it is all inlined.
"""

from __future__ import annotations

import operator

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

__all__ = [
    "LANES",
    "at_least",
    "at_most",
    "exponent_shifted",
    "fused",
    "lanes",
    "larger",
    "load",
    "magnitude",
    "minus",
    "power_of_two",
    "splat",
    "spread",
    "square_root",
    "stack",
    "store",
    "total",
    "totals",
    "turn",
    "where_below",
    "where_equal",
]

LANES = 4
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_INDEX = ir.IntType(32)


class Lanes(types.Type):
    """Numba's type of four doubles."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{LANES}")


lanes = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, type_):
        super().__init__(manager, type_, _VECTOR)


def _shuffle(builder, vector, picks):
    mask = ir.Constant(ir.VectorType(_INDEX, len(picks)), picks)
    return builder.shuffle_vector(vector, ir.Constant(_VECTOR, ir.Undefined), mask)


def _splat(builder, value):
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(_INDEX, 0))
    return _shuffle(builder, first, [0] * LANES)


def _register(operation, instruction: str) -> None:
    kinds = [(lanes, lanes), (lanes, types.float64), (types.float64, lanes)]

    class Operation(ConcreteTemplate):
        cases = [signature(lanes, *kind) for kind in kinds]  # noqa: RUF012  (numba's own convention)

    def lower(context, builder, sig, arguments):
        both = [
            value if kind == lanes else _splat(builder, value) for kind, value in zip(sig.args, arguments, strict=True)
        ]
        return getattr(builder, instruction)(*both)

    infer_global(operation)(Operation)
    for kind in kinds:
        lower_builtin(operation, *kind)(lower)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _register(_operation, _instruction)


def _address(context, builder, kind, array, index):
    data = cgutils.create_struct_proxy(kind)(context, builder, value=array).data
    return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())


@intrinsic(prefer_literal=True)
def stack(typingctx, count):
    """``stack(count)``: an array of float64 on the stack, not cleared, gone with the function; count is a number."""
    kind = types.Array(types.float64, 1, "C")
    size = count.literal_value

    def codegen(context, builder, sig, arguments):
        with builder.goto_entry_block():
            block = builder.alloca(ir.ArrayType(ir.DoubleType(), size))
        block.align = 8 * LANES
        array = context.make_array(kind)(context, builder)
        shape, item = context.get_constant(types.intp, size), context.get_constant(types.intp, 8)
        context.populate_array(
            array,
            data=builder.bitcast(block, ir.DoubleType().as_pointer()),
            shape=cgutils.pack_array(builder, [shape]),
            strides=cgutils.pack_array(builder, [item]),
            itemsize=item,
            meminfo=None,
        )
        return array._getvalue()

    return kind(count), codegen


@intrinsic
def splat(typingctx, value):
    """``splat(value)``: the same float in every lane."""

    def codegen(context, builder, sig, arguments):
        return _splat(builder, arguments[0])

    return lanes(types.float64), codegen


@intrinsic
def load(typingctx, array, index):
    """``load(array, index)``: the entries index to index + 3 of a contiguous float64 array, unchecked."""

    def codegen(context, builder, sig, arguments):
        return builder.load(_address(context, builder, sig.args[0], *arguments), align=8)

    return lanes(array, types.intp), codegen


@intrinsic
def spread(typingctx, array, index):
    """``spread(array, index)``: one entry of a contiguous float64 array in every lane, unchecked."""

    def codegen(context, builder, sig, arguments):
        data = cgutils.create_struct_proxy(sig.args[0])(context, builder, value=arguments[0]).data
        return _splat(builder, builder.load(builder.gep(data, [arguments[1]])))

    return lanes(array, types.intp), codegen


@intrinsic
def store(typingctx, array, index, value):
    """``store(array, index, value)``: write four entries from index on, unchecked."""

    def codegen(context, builder, sig, arguments):
        builder.store(arguments[2], _address(context, builder, sig.args[0], *arguments[:2]), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), codegen


@intrinsic
def total(typingctx, value):
    """``total(value)``: the sum over the lanes, a float."""

    def codegen(context, builder, sig, arguments):
        half = builder.fadd(_shuffle(builder, arguments[0], [0, 1]), _shuffle(builder, arguments[0], [2, 3]))
        return builder.fadd(*(builder.extract_element(half, ir.Constant(_INDEX, lane)) for lane in (0, 1)))

    return types.float64(lanes), codegen


@intrinsic
def totals(typingctx, a, b, c, d):
    """``totals(a, b, c, d)``: the sums over the lanes of four values, in four lanes."""

    def codegen(context, builder, sig, arguments):
        def pairs(one, other, picks):
            return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(_INDEX, LANES), picks))

        even, odd = [0, 4, 2, 6], [1, 5, 3, 7]
        ab, cd = (
            builder.fadd(pairs(one, other, even), pairs(one, other, odd))
            for one, other in (arguments[:2], arguments[2:])
        )
        return builder.fadd(pairs(ab, cd, [0, 1, 4, 5]), pairs(ab, cd, [2, 3, 6, 7]))

    return lanes(a, b, c, d), codegen


def _bounding(order: str, text: str):
    @intrinsic
    def bounded(typingctx, value, limit):
        def codegen(context, builder, sig, arguments):
            value, limit = arguments[0], _splat(builder, arguments[1])
            return builder.select(builder.fcmp_ordered(order, value, limit), limit, value)

        return lanes(lanes, types.float64), codegen

    bounded.__doc__ = text
    return bounded


@intrinsic(prefer_literal=True)
def turn(typingctx, value, by):
    """``turn(value, by)``: lane k is lane k + by of value, counted round; ``by`` is written as a number."""

    def codegen(context, builder, sig, arguments):
        return _shuffle(builder, arguments[0], [(lane + by.literal_value) % LANES for lane in range(LANES)])

    return lanes(lanes, by), codegen


@intrinsic
def larger(typingctx, one, other):
    """``larger(one, other)``: of each pair of lanes the larger."""

    def codegen(context, builder, sig, arguments):
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return lanes(lanes, lanes), codegen


def _choosing(order: str, text: str):
    @intrinsic
    def chosen(typingctx, value, number, yes, no):
        def codegen(context, builder, sig, arguments):
            value, number, yes, no = arguments
            return builder.select(builder.fcmp_ordered(order, value, _splat(builder, number)), yes, no)

        return lanes(lanes, types.float64, lanes, lanes), codegen

    chosen.__doc__ = text
    return chosen


where_equal = _choosing(
    "==", "``where_equal(value, number, yes, no)``: lane by lane ``yes`` where value is the number, else ``no``."
)
where_below = _choosing(
    "<", "``where_below(value, number, yes, no)``: lane by lane ``yes`` where value is below the number, else ``no``."
)

at_most = _bounding(">", "``at_most(value, limit)``: no lane above a float; NaN stays NaN.")
at_least = _bounding("<", "``at_least(value, limit)``: no lane below a float; NaN stays NaN.")


@intrinsic
def power_of_two(typingctx, shifted):
    """``power_of_two(shifted)``: 2**n, where shifted is n + 1.5 * 2**52: its low bits moved into the exponent."""

    def codegen(context, builder, sig, arguments):
        kind = ir.VectorType(ir.IntType(64), LANES)
        bits = builder.shl(builder.bitcast(arguments[0], kind), ir.Constant(kind, [52] * LANES))
        return builder.bitcast(builder.add(bits, ir.Constant(kind, [1023 << 52] * LANES)), _VECTOR)

    return lanes(lanes), codegen


@intrinsic
def exponent_shifted(typingctx, value):
    """``exponent_shifted(value)``: n + 1.5 * 2**52, where 2**n is the largest power of two up to a positive value."""

    def codegen(context, builder, sig, arguments):
        kind = ir.VectorType(ir.IntType(64), LANES)
        bits = builder.lshr(builder.bitcast(arguments[0], kind), ir.Constant(kind, [52] * LANES))
        return builder.bitcast(builder.add(bits, ir.Constant(kind, [0x4338000000000000 - 1023] * LANES)), _VECTOR)

    return lanes(lanes), codegen


@intrinsic
def minus(typingctx, value):
    """``minus(value)``: the sign of every lane turned."""

    def codegen(context, builder, sig, arguments):
        return builder.fneg(arguments[0])

    return lanes(lanes), codegen


def _called(name: str, count: int, text: str):
    """Return a function of `count` values of lanes that calls one of LLVM's own."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * count)

    def codegen(context, builder, sig, arguments):
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f64"), arguments)

    @intrinsic
    def of_one(typingctx, value):
        return lanes(lanes), codegen

    @intrinsic
    def of_three(typingctx, one, other, third):
        return lanes(lanes, lanes, lanes), codegen

    called = of_one if count == 1 else of_three
    called.__doc__ = text
    return called


magnitude = _called("fabs", 1, "``magnitude(value)``: every lane without its sign.")
fused = _called("fma", 3, "``fused(a, b, c)``: a * b + c, rounded once.")


@intrinsic
def square_root(typingctx, value):
    """``square_root(value)``: of a float, or lane by lane; NaN below zero."""
    kind, suffix = (lanes, f"v{LANES}f64") if value == lanes else (types.float64, "f64")

    def codegen(context, builder, sig, arguments):
        llvm_kind = arguments[0].type
        function = ir.FunctionType(llvm_kind, [llvm_kind])
        return builder.call(cgutils.get_or_insert_function(builder.module, function, f"llvm.sqrt.{suffix}"), arguments)

    return kind(kind), codegen
