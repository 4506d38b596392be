// SPDX-License-Identifier: Apache-2.0
// Handler hello::Hello.Function::Handle, runtime dotnet8, as a zip of `dotnet publish` or as an image.
using Amazon.Lambda.Core;
using Amazon.Lambda.Serialization.SystemTextJson;

[assembly: LambdaSerializer(typeof(DefaultLambdaJsonSerializer))]

namespace Hello;

public record Request(string? Text, string? Fail);

public record Answer(string Hello, string? Text, string RequestId);

public class Function
{
    public Answer Handle(Request request, ILambdaContext context)
    {
        context.Logger.LogInformation($".NET says {request.Text}");
        if (request.Fail != null)
            throw new InvalidOperationException(request.Fail);
        return new Answer("from .NET", request.Text, context.AwsRequestId);
    }
}
